"""Immutable models: ids, Azure's resources, findings, plans and reports."""
