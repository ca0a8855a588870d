"""Exports of live mappings: as a desired state, as Terraform, and as az commands."""
