"""Live mappings written down for other tools, and as a desired state."""
