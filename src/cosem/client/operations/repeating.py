"""Asking again when an answer does not come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cosem.association.context import Conversation
from cosem.errors import TransportTimeout

__all__ = ["repeated"]

T = TypeVar("T")


def repeated(times: int, start: Callable[[], Conversation[T]]) -> Conversation[T]:
    """Run a conversation, and run it anew up to so often when an answer does not come.

    What it did before is done again: a conversation with several requests for several things repeats each by itself.
    """
    for _ in range(times):
        try:
            return (yield from start())
        except TransportTimeout:
            continue
    return (yield from start())
