"""How long a client waits, for what."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

from cosem.errors import ConfigurationError

__all__ = ["DEFAULT_TIMEOUTS", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, seconds, each above 0.

    Args:
        answer: For one answer, from its request on, whatever trickles in meanwhile.
        transfer: For a whole operation, with all its requests and blocks.
        connect: For the connection.
        release: For the answer to a release.

    Raises:
        ConfigurationError: One is no time.
    """

    answer: float = 10.0
    transfer: float = 300.0
    connect: float = 10.0
    release: float = 2.0

    def __post_init__(self) -> None:
        for name in ("answer", "transfer", "connect", "release"):
            seconds = getattr(self, name)
            if not (seconds > 0 and isfinite(seconds)):
                raise ConfigurationError(f"{name} time-out {seconds} must be above 0 seconds, and finite")


DEFAULT_TIMEOUTS: Final = Timeouts()
"""What holds where nothing is asked for."""
