"""Push setup at the server: what the meter sends on its own, where to and when (Blue Book, class_id 40).

``push`` collects the values and hands them to :mod:`cosem.server.push`, which waits,
sends and tries again. One push is under way at a time; a further one is refused until
then. The randomness of the delay is an attribute of the object, so that it can be given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import random
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu.common import SelectiveAccessDescriptor
from cosem.classes.standard.push_setup import PushOperationMethod, PushSetup, TransportService
from cosem.classes.standard.references import RestrictionType
from cosem.errors import ConfigurationError
from cosem.server.objects.base import CosemObject, is_awaitable, then
from cosem.server.objects.profile_generic import ProfileGenericObject
from cosem.server.patterns import next_match
from cosem.types.data import Array, DoubleLongUnsigned, Integer, LongUnsigned, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from cosem.types.data import DataValue

__all__ = ["PushSetupBehaviour", "PushSetupObject"]

_CLOCK: Final = Structure(
    (LongUnsigned(8), OctetString(bytes.fromhex("0000010000FF")), Integer(2), LongUnsigned(0))
)
_BUFFER: Final = 2
_BY_RANGE, _BY_ENTRY = 1, 2
_SHORTEST: Final = 1.0
"""Seconds between two attempts at least: a destination that is not there is not asked without a pause."""
_CARRIED: Final = frozenset({TransportService.TCP, TransportService.UDP})


if TYPE_CHECKING:

    class _Declared(CosemObject, PushSetup): ...

else:
    _Declared = CosemObject


class PushSetupBehaviour(_Declared):
    """Pushes values to a destination over TCP or UDP; put it before the declaration of any version.

    Attributes:
        client_sap: Address of the client where the version of the class has no push_client_SAP.
        timestamped: Whether each push says when it was sent.
        confirmation_timeout: Seconds to wait for the confirmation of a push that was taken completely.
        randomness: Returns a number from 0 to below 1, for the delay before a push.
        pushed: Pushes that arrived, as far as can be known.
        failed: Pushes that were given up.
    """

    def __init__(self, logical_name: Any, **values: Any) -> None:
        super().__init__(logical_name, **values)
        own = object.__setattr__
        for name, value in (
            ("client_sap", 1),
            ("timestamped", False),
            ("confirmation_timeout", 10.0),
            ("randomness", random),
            ("pushed", 0),
            ("failed", 0),
            ("task", None),
        ):
            own(self, name, value)

    client_sap: int
    timestamped: bool
    confirmation_timeout: float
    randomness: Callable[[], float]
    pushed: int
    failed: int
    task: asyncio.Task[bool] | None

    # --- what it is told --------------------------------------------------------------------------------

    @property
    def receiver_sap(self) -> int:
        """Address of the client to which it pushes."""
        if self.attribute("push_client_SAP") is None:
            return self.client_sap
        return int(self.stored(9)) & 0xFF or self.client_sap  # type: ignore[arg-type] # an integer

    @property
    def confirmed(self) -> bool:
        """Whether the client confirms what it gets."""
        if self.attribute("push_operation_method") is None:
            return False
        return bool(self.push_operation_method == PushOperationMethod.CONFIRMED)

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait before an attempt: 0 is the first one, after a random delay; 1 at least is between."""
        if attempt == 0:
            return self.randomness() * int(self.randomisation_start_interval)
        repetition: Any = self.repetition_delay
        if isinstance(repetition, int):
            return max(float(repetition), _SHORTEST)
        shortest = int(repetition.repetition_delay_min)
        longest = int(repetition.repetition_delay_max) or shortest
        try:
            factor: float = (repetition.repetition_delay_exponent / 100) ** (attempt - 1)
        except OverflowError:  # 655.35 to the power of 110 is no float
            factor = 0.0 if not shortest else float("inf")
        return max(float(min(shortest * factor, longest)), _SHORTEST)

    def waits(self, attempt: int, now: Callable[[], datetime]) -> Iterator[float]:
        """Yield the seconds to wait, one after the other, before an attempt; it may begin when they end.

        The first attempt in a window waits a random time in it. If the window is over then, the next one is waited
        for, and again a random time in that.

        Args:
            attempt: Number of the attempt, from 0 on.
            now: Tells the local time without zone.

        Raises:
            ConfigurationError: There are communication windows, and none of them opens any more.
        """
        if attempt:
            yield self.delay(attempt)
        randomised = bool(attempt)
        while True:
            closed = self.until_window(now())
            if closed is None:
                raise ConfigurationError("no communication window opens any more")
            if closed:
                yield closed
                randomised = False
            elif randomised:
                return
            else:
                yield self.delay(0)
                randomised = True

    def until_window(self, now: datetime) -> float | None:
        """Return the seconds until a communication window is open; 0 where one is, or where there are none.

        ``None`` means that there are windows, and all of them are in the past.

        Args:
            now: Local time without zone.
        """
        seconds = []
        if not self.communication_window:
            return 0.0
        for window in self.communication_window:
            begins = next_match(window.start_time.date, window.start_time.time, now)
            ends = next_match(window.end_time.date, window.end_time.time, now)
            if ends is not None and (begins is None or ends < begins):
                return 0.0
            if begins is not None:
                seconds.append((begins - now).total_seconds())
        return min(seconds, default=None)

    # --- what it does -----------------------------------------------------------------------------------

    async def collect(self) -> Structure:
        """Return the values of the push object list; null-data for what cannot be read."""
        values = []
        for entry in self.push_object_list:
            value = self._value_of(entry)
            if is_awaitable(value):
                value = await value
            values.append(_element(value, int(entry.data_index)))
        return Structure(values)

    def _value_of(self, entry: Any) -> Any:
        device = self.device
        target = None if device is None else device.find(entry.logical_name)
        if target is None or target.class_id != entry.class_id:
            return None
        if not isinstance(target, ProfileGenericObject) or entry.attribute_index != _BUFFER:
            return target.get(int(entry.attribute_index))
        columns = getattr(entry, "columns", ())
        selection = _selection(getattr(entry, "restriction", None), columns)
        rows = target.get(_BUFFER, selection)
        if not columns or selection is None or selection.access_selector != _BY_ENTRY:
            return rows
        # The selector takes columns from one to another only, the push setup takes any.
        captured = [_column_key(each) for each in target.capture_objects]
        wanted = {_column_key(each) for each in columns}
        if not wanted.issubset(captured):
            return None
        indexes = [index for index, each in enumerate(captured) if each in wanted]
        return then(rows, lambda found: _columns_of(found, indexes))

    def call_push(self) -> ActionResult:
        """Begin to push; what comes of it shows later."""
        import asyncio

        from cosem.server.push import push

        if self.task is not None and not self.task.done():
            return ActionResult.TEMPORARY_FAILURE
        if self.device is None or self.send_destination_and_method.transport_service not in _CARRIED:
            return ActionResult.OTHER_REASON
        object.__setattr__(self, "task", asyncio.get_running_loop().create_task(push(self.device, self)))
        return ActionResult.SUCCESS

    def call_reset(self) -> None:
        """Give up what is under way."""
        self.stop()

    def stop(self) -> None:
        """Give up what is under way: the server stops."""
        if self.task is not None:
            self.task.cancel()

    def count(self, *, arrived: bool) -> None:
        """Take note of how a push ended."""
        name = "pushed" if arrived else "failed"
        object.__setattr__(self, name, getattr(self, name) + 1)
        if arrived and self.confirmed and self.device is not None:
            self.put("last_confirmation_date_time", self.device.timestamp())


class PushSetupObject(PushSetupBehaviour, PushSetup):
    """Push setup, version 2."""


def _selection(restriction: Any, columns: Any) -> SelectiveAccessDescriptor | None:
    """Return the selective access to a buffer that a restriction and columns stand for."""
    kind = RestrictionType.NONE if restriction is None else restriction.restriction_type
    given = () if restriction is None else restriction.restriction_value
    if kind == RestrictionType.BY_ENTRY and isinstance(given, tuple) and len(given) == 2:
        whole = LongUnsigned(1), LongUnsigned(0)
        first, last = (DoubleLongUnsigned(int(number)) for number in given)
        return SelectiveAccessDescriptor(_BY_ENTRY, Structure((first, last, *whole)))
    if kind == RestrictionType.BY_DATE and isinstance(given, tuple) and len(given) == 2:
        selected = Array(_as_data(each) for each in columns)
        low, high = (OctetString(bytes(moment)) for moment in given)
        return SelectiveAccessDescriptor(_BY_RANGE, Structure((_CLOCK, low, high, selected)))
    if columns:
        everything = (
            OctetString(b"\x00\x01\x01\x01\xff" + bytes(4) + b"\x80\x00\x00"),
            OctetString(b"\x27\x0f\x0c\x1f\xff\x17\x3b\x3b\x63\x80\x00\x00"),
        )
        selected = Array(_as_data(each) for each in columns)
        return SelectiveAccessDescriptor(_BY_RANGE, Structure((_CLOCK, *everything, selected)))
    return None


def _column_key(column: Any) -> tuple[int, bytes, int, int]:
    return (
        int(column.class_id),
        bytes(column.logical_name),
        int(column.attribute_index),
        int(column.data_index),
    )


def _columns_of(rows: Any, indexes: list[int]) -> Any:
    """Return some columns of rows; what is no array of rows stays what it is."""
    if not isinstance(rows, Array):
        return rows
    each: list[Any] = list(rows)
    return Array(Structure(row[index] for index in indexes) for row in each)


def _as_data(column: Any) -> Structure:
    return Structure(
        (
            LongUnsigned(column.class_id),
            OctetString(bytes(column.logical_name)),
            Integer(column.attribute_index),
            LongUnsigned(column.data_index),
        )
    )


def _element(value: Any, data_index: int) -> DataValue:
    """Return the whole of a value or, from 1 on, one element of its structure or array."""
    if isinstance(value, DataAccessResult):
        return None
    if not data_index:
        return value  # type: ignore[no-any-return]
    return value[data_index - 1] if isinstance(value, tuple) and data_index <= len(value) else None
