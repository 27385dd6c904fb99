"""Memory of idle sessions at one asyncio server: associated over TCP, then left alone."""

from __future__ import annotations

__all__ = ["report"]


def report() -> None:
    """Print the memory of a session."""
