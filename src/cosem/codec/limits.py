"""How much the decoders will build from octets that nobody vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one decoding; each that is exceeded raises :class:`~cosem.errors.LimitError`.

    Args:
        nesting: Arrays, structures and type descriptions inside each other; real data stay below 7.
        elements: Values built from one APDU.
        compact_elements: Values built from one compact-array, whose octets say little of its size.
        octets: Longest input.
    """

    nesting: int = 32
    elements: int = 4_000_000
    compact_elements: int = 1_000_000
    octets: int = 16 * 1024 * 1024


DEFAULT_LIMITS: Final = Limits()
