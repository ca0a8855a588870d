"""The operations of the emulator, by provider: each module has its handlers and its part of the table of routes."""
