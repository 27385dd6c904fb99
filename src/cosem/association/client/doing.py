"""What an exchange was doing, in words: for errors of the layers below, which know nothing of services."""

from __future__ import annotations

from copy import copy
from typing import Any, TypeVar

from cosem.apdu import Apdu
from cosem.association.client.exchange import Exchange
from cosem.errors import CosemError, TransportClosed, TransportError, TransportTimeout

__all__ = ["doing", "during"]

E = TypeVar("E", bound=CosemError)

_PLAIN = frozenset({TransportClosed, TransportError, TransportTimeout})
"""Errors that are their text, and can be made with another one."""


def doing(exchange: Exchange[Any]) -> str:
    """Return what an exchange waits for: ``GET 1-0:1.8.0 attribute 2, block 3``; empty if it has asked for nothing.

    Args:
        exchange: Its subject is what it asked for first, its request the last one.
    """
    if exchange.subject is None:
        return ""
    subject = _words(exchange.subject)
    request: Any = exchange.request
    if request is exchange.subject:
        return subject
    number: int | None = getattr(request, "block_number", None)
    if number is not None:
        return f"{subject}, block {number + 1}"  # it acknowledges the one before
    part = getattr(request, "datablock", None) or getattr(request, "pblock", None)
    return subject if part is None else f"{subject}, block {part.block_number}"


def during(error: E, exchange: Exchange[Any]) -> E:
    """Return the error of a connection that was lost with what it was lost in; every other error as it is."""
    words = doing(exchange) if type(error) in _PLAIN else ""
    if words:
        return type(error)(f"{error} during {words}")
    return copy(error) if exchange.context is not None else error  # each takes along what is known of its own


def _words(request: Apdu) -> str:
    name = type(request).__name__
    if name == "AARQ":
        return "the opening of the association"
    if name == "RLRQ":
        return "the release of the association"
    verb = next(
        (each for each in ("Get", "Set", "Action", "Read", "Write", "Access") if name.startswith(each)), ""
    )
    if not verb:
        return name
    verb = verb.upper()
    asked: Any = request
    for field, kind in (("cosem_attribute_descriptor", "attribute"), ("cosem_method_descriptor", "method")):
        descriptor = getattr(asked, field, None)
        if descriptor is not None:
            number = getattr(descriptor, f"{kind}_id")
            return f"{verb} {descriptor.instance_id.reduced.removesuffix('*255')} {kind} {number}"
    for field, nouns in (
        ("attribute_descriptor_list", "attributes"),
        ("cosem_method_descriptor_list", "methods"),
        ("variable_access_specification", "variables"),
    ):
        listed = getattr(asked, field, None)
        if listed is not None:
            return f"{verb} of {len(listed)} {nouns if len(listed) != 1 else nouns[:-1]}"
    return verb
