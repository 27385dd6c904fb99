"""Objects that give what was recorded, and do nothing by themselves.

What a client saw of a real meter, another client sees again: values with their tags even where they
are not what the class says, refusals, attributes and methods that the manufacturer added or left
out, classes that no standard knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.registry import class_of
from cosem.server.objects.base import CosemObject, Outcome, ReadResult
from cosem.server.objects.making import object_class
from cosem.server.objects.profile_generic import ProfileGenericObject
from cosem.types.data import Array, DataValue, DoubleLongUnsigned, OctetString, Structure
from cosem.types.enumerations import DataAccessResult

if TYPE_CHECKING:
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.classes.meter_record import RecordedObject

__all__ = ["recorded_object"]

_WITH_METHODS: Final = frozenset({1, 3, 4, 6, 9, 11, 70})
"""Classes whose behaviour is all in methods and in what clients write: it is kept."""
_PROFILE, _BUFFER, _CAPTURE_OBJECTS, _ENTRIES_IN_USE = 7, 2, 3, 7


class Recorded(CosemObject):
    """The part that all recorded objects share."""

    refusals: Mapping[int, DataAccessResult] = {}

    @classmethod
    def keep_still(cls, selectors: dict[int, tuple[int, ...]]) -> None:
        """Let objects of the class do nothing by themselves, and give their values as they are."""
        cls.timed = cls.watching = False
        if not issubclass(cls, RecordedProfile):
            cls._getters = {}
        if selectors:
            cls.access_selectors = selectors

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return the value, or the refusal, that was recorded."""
        refusal = self.refusals.get(number)
        if refusal is not None and number not in self._values:
            return refusal
        return super().get(number, selection, association)

    def record(self, values: Mapping[int, DataValue]) -> None:
        """Take values as they are, whatever the class says."""
        for number, value in values.items():
            attribute = self.attribute(number)
            self._values[number] = value if attribute is None else attribute.data_type.adopt(value)


class RecordedProfile(Recorded, ProfileGenericObject):
    """A profile with the rows that were recorded; they can be selected, and captured on demand."""

    @property
    def rows(self) -> list[Structure]:
        """The rows in the order in which they were recorded."""
        rows = self.stored(_BUFFER)
        return list(rows) if isinstance(rows, Array) else []  # type: ignore[arg-type] # rows are structures

    def record(self, values: Mapping[int, DataValue]) -> None:
        """Take values, and learn the columns."""
        super().record(values)
        try:
            self.changed(_CAPTURE_OBJECTS)
        except (TypeError, ValueError):  # no list of attributes: nothing can be selected
            self._columns = ()

    def get_buffer(self) -> DataValue:
        """Return the rows, or whatever was recorded in their place."""
        return self.stored(_BUFFER)

    def get_entries_in_use(self) -> DoubleLongUnsigned:
        """Return what was recorded."""
        return self.stored(_ENTRIES_IN_USE)  # type: ignore[return-value] # or what the meter said instead

    def call_reset(self) -> None:
        """Empty the buffer."""
        self._hold([])

    def _store(self, values: list[ReadResult]) -> None:
        row = Structure(None if isinstance(value, DataAccessResult) else value for value in values)
        self._hold([*self.rows, row])

    def _hold(self, rows: list[Structure]) -> None:
        self._values[_BUFFER] = Array(rows)
        self._values[_ENTRIES_IN_USE] = DoubleLongUnsigned(len(rows))


def recorded_object(record: RecordedObject) -> CosemObject:
    """Return the object of a record."""
    attributes = {number for rights in record.rights.values() for number in rights.attributes}
    methods = {number for rights in record.rights.values() for number in rights.methods}
    kind = _recorded_class(
        record.class_id,
        record.version,
        frozenset(attributes | record.values.keys() | record.refusals.keys() | {1}),
        frozenset(methods),
        tuple(sorted((number, tuple(kinds)) for number, kinds in record.selectors.items())),
        listed=bool(record.rights),
    )
    made = kind(record.logical_name)
    values = {number: value for number, value in record.values.items() if number != 1}
    made.record({1: OctetString(record.logical_name), **values})
    made.refusals = dict(record.refusals)
    return made


@cache
def _recorded_class(
    class_id: int,
    version: int,
    attributes: frozenset[int],
    methods: frozenset[int],
    selectors: tuple[tuple[int, tuple[int, ...]], ...],
    *,
    listed: bool,
) -> type[Recorded]:
    """Return the class of objects with just these members; all of the class where rights are not told."""
    declared = class_of(class_id, version)
    known = class_of(class_id) if declared is None else declared
    base: type[Any] = InterfaceClass if known is None else known
    bases: tuple[type[Any], ...] = (Recorded, base)
    if known is not None and class_id == _PROFILE:
        bases = (RecordedProfile, base)
    elif declared is not None and class_id in _WITH_METHODS:
        bases = (Recorded, object_class(class_id, version))
    members: dict[str, Any] = {"__doc__": base.__doc__}
    present = {1: "logical_name", **{each.number: each.name for each in base.attributes}}
    callable_ = {each.number: each.name for each in base.methods}
    if listed:
        members |= {name: None for number, name in present.items() if number not in attributes}
        members |= {name: None for number, name in callable_.items() if number not in methods}
    members |= {_named("attribute", n): Attribute(n, "CHOICE") for n in attributes - present.keys()}
    members |= {_named("method", n): Method(n, "CHOICE") for n in methods - callable_.keys()}
    made: type[Recorded] = type(f"Recorded{base.__name__}", bases, members)
    if declared is None:
        made.class_id, made.version = class_id, version
        made.title = f"class {class_id}" if known is None else known.title
    made.keep_still(dict(selectors))
    return made


def _named(kind: str, number: int) -> str:
    return f"{kind}_{number}" if number >= 0 else f"{kind}_minus_{-number}"
