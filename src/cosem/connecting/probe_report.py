"""What probing tells: each thing that was tried, how it ended, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import Identification

__all__ = ["Outcome", "ProbeReport", "ProbeStep"]


class Outcome(StrEnum):
    """How a step ended."""

    ANSWERED = "answered"
    """The meter answers so."""
    REFUSED = "refused"
    """It answers, and does not want it."""
    SILENT = "silent"
    FAILED = "failed"
    """It could not be tried."""


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """One thing that was tried.

    Args:
        tried: What, in words.
        outcome: How it ended.
        detail: What was seen, in words; may be empty.
        seconds: How long it took.
    """

    tried: str
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What probing found.

    Args:
        url: How the meter is reached; ``None`` if it was not found.
        associated: Whether the client got an association.
        steps: What was tried, in order.
        identification: What the meter answered to a sign-on; ``None`` if it did not.
        complete: Whether all was tried that there is, or enough to find the meter.
    """

    url: str | None
    associated: bool
    steps: tuple[ProbeStep, ...]
    identification: Identification | None = None
    complete: bool = True
