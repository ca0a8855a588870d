"""Reading of strict documents, and atomic writing of files."""
