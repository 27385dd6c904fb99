"""The status of a profile at the server: a Data object that says what befell each capture period.

(Blue Book, class_id 1 and 7; names 0.b.96.10.e.255 and 1.b.96.10.e.255)
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cosem.server.objects.data import DataObject
from cosem.types.data import DataValue, Unsigned
from cosem.types.logical_name import LogicalName

__all__ = ["ProfileStatusObject"]


class ProfileStatusObject(DataObject):
    """A status word, to be captured beside the values of one profile.

    What each bit means is up to the companion specification of a meter, and so the bits are given.

    Args:
        logical_name: Its name.
        clock_adjusted: Bits of a period in which the clock jumped: by more than a synchronisation.
        daylight_saving: Bits while daylight saving is active.
        value: What the other bits are, in the type of the word; ``Unsigned`` by default.

    >>> status = ProfileStatusObject("0-0:96.10.1", clock_adjusted=0x20)
    >>> status.mark(0x80)
    >>> status.get_value()
    Unsigned(128)
    """

    timed = True

    def __init__(
        self,
        logical_name: LogicalName | str,
        *,
        clock_adjusted: int = 0,
        daylight_saving: int = 0,
        value: Any = None,
    ) -> None:
        self._clock_adjusted = clock_adjusted
        self._daylight_saving = daylight_saving
        self._marks = 0
        super().__init__(logical_name, value=Unsigned(0) if value is None else value)

    def mark(self, bits: int) -> None:
        """Set bits until the end of the period, for example those of a power failure."""
        self._marks |= bits

    def get_value(self) -> DataValue:
        """Return the word as it is now."""
        word: Any = self.stored(2)
        bits = int(word) | self._marks
        if self._daylight_saving and self.device is not None and self.device.saves_daylight():
            bits |= self._daylight_saving
        return type(word)(bits)  # type: ignore[no-any-return]

    def on_shift(self, by: timedelta, *, jump: bool) -> None:
        """Mark the period in which the clock jumped."""
        if jump and by:
            self.mark(self._clock_adjusted)

    def captured(self) -> None:
        """Begin another period, of which nothing is known yet."""
        self._marks = 0
