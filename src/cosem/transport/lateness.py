"""Time-outs in words: which meter, what it was asked for, and whether anything came at all."""

from __future__ import annotations

from typing import Any

from cosem.association.client.doing import doing
from cosem.association.client.exchange import Exchange
from cosem.errors import TransportTimeout
from cosem.types.text import counted

__all__ = ["prefix_of", "unanswered", "unfinished"]


def prefix_of(peer: str) -> str:
    """Return how a message of a meter begins; empty where the meter has no name."""
    return f"{peer}: " if peer else ""


def unanswered(peer: str, seconds: float, exchange: Exchange[Any], octets: int) -> TransportTimeout:
    """Return the error of a request without an answer.

    Args:
        peer: How the meter is called.
        seconds: How long was waited.
        exchange: Whose request it is.
        octets: How many came meanwhile.
    """
    words = doing(exchange)
    to = f" to {words}" if words else ""
    came = f", though {counted(octets, 'octet')} came" if octets else ""
    return TransportTimeout(f"{prefix_of(peer)}no answer within {seconds:g} s{to}{came}")


def unfinished(peer: str, seconds: float, exchange: Exchange[Any]) -> TransportTimeout:
    """Return the error of an operation that took too long as a whole."""
    words = doing(exchange)
    what = f": {words}" if words else ""
    return TransportTimeout(f"{prefix_of(peer)}not finished within {seconds:g} s{what}")
