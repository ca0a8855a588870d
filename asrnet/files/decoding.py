"""The lock that msgspec needs: it works out how to decode a Struct on first use, and not in a thread-safe way."""

from __future__ import annotations

import threading
from typing import Final

TYPES: Final = threading.Lock()
"""Held while msgspec may see a type for the first time: two threads at it at once crash the interpreter.

Seen with msgspec 0.22 where lists were read side by side: one run in fourteen ended with a segmentation fault.
"""
