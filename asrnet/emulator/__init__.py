"""The fake world behind Azure's wire protocol."""
