"""An in-memory Azure with the rules of Site Recovery."""
