"""Reading strict documents and writing whole files."""
