"""What is there now: everything a plan needs, live pairs, activity and targets."""
