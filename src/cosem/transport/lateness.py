"""What went wrong with a connection in words: with which meter, what it was asked for, whether anything came at all."""

from __future__ import annotations

from typing import Any

from cosem.association.client.doing import doing
from cosem.association.client.exchange import Exchange
from cosem.errors import CosemError, FrameError, LinkError, TransportClosed, TransportError, TransportTimeout
from cosem.types.text import counted

__all__ = ["given_up", "named", "prefix_of", "unanswered", "unfinished"]


def prefix_of(peer: str) -> str:
    """Return how a message of a meter begins; empty where the meter has no name."""
    return f"{peer}: " if peer else ""


def given_up(exchange: Exchange[Any], how: str) -> TransportTimeout:
    """Return the error of a request that its caller gave up: ``how`` is the word for that."""
    return TransportTimeout(f"{doing(exchange) or 'a request'} was {how} and given up")


def named(error: CosemError, peer: str) -> LinkError:
    """Return an error as the end of a connection, with the name of the meter unless it says that already."""
    if not isinstance(error, LinkError):
        error = TransportClosed(str(error))
    address = peer.partition(":")[2].lstrip("/") or peer
    if not peer or address in str(error):
        return error
    if type(error) is FrameError:
        return FrameError(f"{peer}: {error.problem}", error.offset).with_traceback(error.__traceback__)
    if type(error) in (LinkError, TransportError, TransportClosed, TransportTimeout):
        return type(error)(f"{peer}: {error}").with_traceback(error.__traceback__)
    return error


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
