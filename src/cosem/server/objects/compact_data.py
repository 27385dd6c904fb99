"""Compact data at the server: values as octets without their tags (Blue Book, class_id 62).

The template describes a structure. It is the type description of compact-array but for one
thing: the number of elements of an array stands before the elements in the buffer, and not
in the description. What cannot be described, such as an array of unlike elements, is
captured as null-data.
"""

from __future__ import annotations

from typing import Any, Final

from cosem.apdu.common import SelectiveAccessDescriptor
from cosem.classes.standard.compact_data import CaptureMethod, CompactData
from cosem.classes.standard.references import RestrictionType
from cosem.codec.data import encode_data
from cosem.server.objects.base import CosemObject, Outcome, is_awaitable
from cosem.server.objects.capture_cycles import captures_itself
from cosem.types.data import Array, CompactArray, DataValue, Integer, LongUnsigned, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["CompactDataObject", "compacted"]

_ARRAY, _STRUCTURE = b"\x01", b"\x02"
_CLOCK: Final = Structure(
    (LongUnsigned(8), OctetString(LogicalName("0-0:1.0.0")), Integer(2), LongUnsigned(0))
)
"""What a restriction by date is about."""
_MOST_MEMBERS: Final = 127


def compacted(values: list[DataValue]) -> tuple[bytes, bytes]:
    """Return the template description and the buffer of values.

    >>> from cosem.types.data import Unsigned
    >>> [octets.hex() for octets in compacted([Unsigned(0), OctetString(b"AB")])]
    ['02021109', '00024142']
    """
    parts = [_compact(value) or (b"\x00", b"") for value in values]
    descriptions, contents = zip(*parts, strict=True) if parts else ((), ())
    return _STRUCTURE + _length(len(parts)) + b"".join(descriptions), b"".join(contents)


def _compact(value: DataValue) -> tuple[bytes, bytes] | None:
    """Return the description and the contents of a value; ``None`` if it cannot be described."""
    if isinstance(value, CompactArray):
        value = Array(value)
    if not isinstance(value, (Array, Structure)):
        octets = encode_data(value)
        return octets[:1], octets[1:]
    parts = [_compact(member) for member in value]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    contents = b"".join(content for _, content in known)
    if isinstance(value, Structure):
        return _STRUCTURE + _length(len(known)) + b"".join(each for each, _ in known), contents
    kinds = {description for description, _ in known} or {b"\x00"}
    return (_ARRAY + kinds.pop(), _length(len(known)) + contents) if len(kinds) == 1 else None


def _length(count: int) -> bytes:
    if count <= _MOST_MEMBERS:
        return bytes((count,))
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


class CompactDataObject(CosemObject, CompactData):
    """A buffer that is filled by ``capture``, or whenever it is read, as the capture method says."""

    def changed(self, number: int) -> None:
        """Empty the buffer when other objects are captured: it could no longer be read."""
        if number == 3:
            self._empty()

    def _empty(self) -> None:
        self.put("compact_buffer", b"")
        self.put("template_description", b"")

    def set_capture_objects(self, captured: tuple[Any, ...]) -> DataAccessResult:
        """Change what is captured, and empty the buffer; a buffer in which it would find itself is none."""
        if captures_itself(self, captured):
            return DataAccessResult.OTHER_REASON
        self.put("capture_objects", captured)
        return DataAccessResult.SUCCESS

    def get_compact_buffer(self) -> Outcome[DataValue | DataAccessResult]:
        """Return the buffer, captured just now if that is the capture method."""
        if self.capture_method != CaptureMethod.ON_READING:
            return self.stored(2)
        outcome = self.call_capture()
        return self._when_captured(outcome) if is_awaitable(outcome) else self.stored(2)

    async def _when_captured(self, outcome: Any) -> DataValue:
        await outcome
        return self.stored(2)

    def call_capture(self) -> Outcome[ActionResult]:
        """Fill the buffer, and describe it."""
        if self.device is None:
            return ActionResult.TEMPORARY_FAILURE
        values = [self._value(each) for each in self.capture_objects]
        if any(map(is_awaitable, values)):
            return self._capture_later(values)
        return self._keep(values)

    async def _capture_later(self, values: list[Any]) -> ActionResult:
        return self._keep([await value if is_awaitable(value) else value for value in values])

    def _value(self, captured: Any) -> Any:
        target = None if self.device is None else self.device.find(captured.logical_name)
        if target is None or target.class_id != captured.class_id:
            return None
        if captures_itself(self, [captured]):
            return None
        restriction = getattr(captured, "restriction", None)
        selection = None if restriction is None else _selection(restriction)
        return target.get(int(captured.attribute_index), selection)

    def _keep(self, values: list[Any]) -> ActionResult:
        wanted = zip(values, self.capture_objects, strict=True)
        description, contents = compacted([_element(value, int(each.data_index)) for value, each in wanted])
        self.put("template_description", description)
        self.put("compact_buffer", contents)
        return ActionResult.SUCCESS

    def call_reset(self) -> None:
        """Empty the buffer."""
        self.put("compact_buffer", b"")


def _selection(restriction: Any) -> SelectiveAccessDescriptor | None:
    """Return the selective access that a restriction of a captured buffer means."""
    value = restriction.restriction_value
    if not isinstance(value, tuple) or len(value) < 2:
        return None
    if restriction.restriction_type == RestrictionType.BY_DATE:
        return SelectiveAccessDescriptor(1, Structure((_CLOCK, value[0], value[1], Array())))
    if restriction.restriction_type == RestrictionType.BY_ENTRY:
        columns = LongUnsigned(1), LongUnsigned(0)
        return SelectiveAccessDescriptor(2, Structure((value[0], value[1], *columns)))
    return None


def _element(value: Any, data_index: int) -> DataValue:
    """Return a captured value, or from 1 on one element of it."""
    if isinstance(value, DataAccessResult):
        return None
    if data_index == 0:
        return value  # type: ignore[no-any-return]
    return value[data_index - 1] if isinstance(value, tuple) and data_index <= len(value) else None
