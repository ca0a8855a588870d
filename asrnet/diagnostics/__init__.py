"""Whether asrnet can do its work here: the checks of `asrnet doctor`, and the roles each task needs."""
