"""What is taken out of a stream at once: one APDU or one telegram of text, and what was around it."""

from __future__ import annotations

from typing import NamedTuple

from cosem.link.p1 import P1Telegram

__all__ = ["Piece"]


class Piece(NamedTuple):
    """One APDU or telegram of a stream.

    Attributes:
        framing: ``hdlc``, ``wrapper``, ``mbus``, ``p1``, ``iec62056-21`` (a readout), ``llc``, ``gateway`` or ``apdu``.
        apdu: The APDU; empty where the piece is a telegram of text.
        telegram: The telegram.
        source: Address of the sender, where the framing has one.
        destination: Address of the receiver.
        findings: What was tolerated.
    """

    framing: str
    apdu: bytes = b""
    telegram: P1Telegram | None = None
    source: int | None = None
    destination: int | None = None
    findings: tuple[str, ...] = ()
