"""Azure Site Recovery network mappings, as pairs."""
