"""Seconds since 1970 as the service writes times."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_time(seconds: float) -> str:
    """``2023-08-29T01:12:02.4054199Z``: seven digits after the point."""
    whole = int(seconds // 1)
    ticks = int((seconds - whole) * 10_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{ticks:07d}Z"


def seconds_of(text: str) -> float:
    """The reverse of ``iso_time``; also without digits after the point. ValueError where it is no time."""
    return datetime.fromisoformat(text).timestamp()
