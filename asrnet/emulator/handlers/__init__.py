"""The operations of the emulator. One module for each kind of resource: its shape on the wire, handlers, routes."""
