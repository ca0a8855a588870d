"""What asrnet knows, as values: ids, Azure's resources, findings, plans and reports."""
