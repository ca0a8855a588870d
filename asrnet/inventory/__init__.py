"""The current state of Azure: everything a plan needs, live pairs, activity and targets."""
