"""The operations of the emulator. Each module holds one kind of resource: its JSON, its handlers and their routes."""
