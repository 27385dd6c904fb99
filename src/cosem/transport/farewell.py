"""Letting go of an association where closing the transport tells the meter nothing: over datagrams."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cosem.apdu import encode
from cosem.association.client.releasing import release_request
from cosem.association.control_function import State

if TYPE_CHECKING:
    from cosem.association.client.association import ClientAssociation
    from cosem.link.base import ClientLink
    from cosem.transport.observing import Observer

__all__ = ["say_farewell"]

_OVER: Final = frozenset({State.INACTIVE, State.IDLE})


def say_farewell(
    association: ClientAssociation,
    link: ClientLink,
    send: Callable[[bytes], object],
    now: float,
    observer: Observer | None,
) -> None:
    """Send an RLRQ before a connection is closed without a release, where it is needed; nobody waits for an answer.

    To be called before the association is told that the connection is lost. An association that was given up, as when
    its AARE did not come, may stand at the meter all the same.

    Args:
        association: What is left.
        link: Its communication profile.
        send: Takes octets for the meter.
        now: Monotonic seconds.
        observer: Who watches.
    """
    parameters = association.parameters
    if parameters.keeps_order or parameters.pre_established:
        return
    if association.state in _OVER and association.lost_by is None:
        return
    # No invocation counter, a socket that sends nothing, an observer that raises: it is over all the same, and the
    # time-out of the meter remains.
    with suppress(Exception):
        apdu = encode(release_request(association))
        if observer is not None:
            observer.apdu_sent(apdu)
        link.send(apdu, now)
        octets = link.data_to_send()
        if observer is not None:
            observer.octets_sent(octets)
        send(octets)
