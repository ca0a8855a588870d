"""What people and machines read: one module per output format."""
