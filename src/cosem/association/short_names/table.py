"""The mapping table: which object has which base name (clause 6.16, table 29; SetMapperTable).

The client finds the short name of an attribute or method by it, the server the
attribute or method of a short name. A table is never changed: a longer one is a
new one. It is filled from ``object_list``, from a text, or by hand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cosem.association.short_names.layout import (
    ASSOCIATION_SN,
    CURRENT_ASSOCIATION,
    ClassLayout,
    MemberKind,
    as_long,
    as_unsigned,
    checked_base_name,
    layout_of,
)
from cosem.errors import ConversionError, DecodeError
from cosem.types.data import Array, Long, LongUnsigned, OctetString, Structure, Unsigned
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["MappedObject", "ShortNameMember", "ShortNameTable", "initial_table"]

_ASSOCIATION_SN_CLASS: Final = 12
_NEWEST_ASSOCIATION_SN: Final = 4
_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class MappedObject:
    """One element of the mapping table, as one of ``object_list``.

    Args:
        base_name: 0..65528, a multiple of 8.
        class_id: 0..65535.
        version: 0..255.
        logical_name: Its name.

    Raises:
        ConfigurationError: The base name is none.
    """

    base_name: int
    class_id: int
    version: int
    logical_name: LogicalName

    def __post_init__(self) -> None:
        checked_base_name(self.base_name)

    def to_data(self) -> Structure:
        """Return the element of ``object_list``."""
        return Structure(
            (
                as_long(self.base_name),
                LongUnsigned(self.class_id),
                Unsigned(self.version),
                OctetString(self.logical_name),
            )
        )


@dataclass(frozen=True, slots=True)
class ShortNameMember:
    """What a short name stands for.

    Args:
        class_id: The interface class.
        version: Its version.
        logical_name: The object.
        kind: Attribute or method.
        number: attribute_id or method_id.
    """

    class_id: int
    version: int
    logical_name: LogicalName
    kind: MemberKind
    number: int


class ShortNameTable:
    """Objects with their base names, found from either side.

    Args:
        objects: Its elements; a later one takes the place of an earlier one of the same class and name, or of
            the same base name. Only the current association may be there by two names.
        layouts: Layouts of classes that the standard does not know, or of which it does not
            say enough, by class_id and version.
        complete: Whether it holds all objects that there are: nobody needs to look for more.

    >>> table = ShortNameTable.from_text("1000 3 0 1.0.1.8.0.255")
    >>> f"{table.attribute(3, LogicalName('1.0.1.8.0.255'), 2):04X}"
    '1008'
    >>> table.member(0x1028).kind.value, table.member(0x1028).number
    ('method', 1)
    """

    __slots__ = ("_by_base_name", "_by_name", "_sorted", "complete", "layouts")

    def __init__(
        self,
        objects: Iterable[MappedObject] = (),
        *,
        layouts: Mapping[tuple[int, int], ClassLayout] | None = None,
        complete: bool = True,
    ) -> None:
        self.complete = complete
        self.layouts = dict(layouts or {})
        by_name: dict[tuple[int, LogicalName], MappedObject] = {}
        by_base_name: dict[int, MappedObject] = {}
        for each in objects:
            before = by_name.get((each.class_id, each.logical_name))
            if before is not None and by_base_name[before.base_name] is before:
                del by_base_name[before.base_name]
            clash = by_base_name.get(each.base_name)
            if clash is not None and not _same_association(clash, each):
                del by_name[clash.class_id, clash.logical_name]
            by_name[each.class_id, each.logical_name] = by_base_name[each.base_name] = each
        self._by_name, self._by_base_name = by_name, by_base_name
        self._sorted = sorted(self._by_base_name)

    def __iter__(self) -> Iterator[MappedObject]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"<ShortNameTable of {len(self)} objects>"

    def extended(self, objects: Iterable[MappedObject], *, complete: bool | None = None) -> ShortNameTable:
        """Return a table with further objects."""
        whole = self.complete if complete is None else complete
        return ShortNameTable((*self, *objects), layouts=self.layouts, complete=whole)

    def with_association(self) -> ShortNameTable:
        """Return a table that holds the current Association SN, at its reserved base name if it was missing."""
        if self.find(_ASSOCIATION_SN_CLASS, CURRENT_ASSOCIATION) is not None:
            return self
        return self.extended(initial_table())

    # --- from name to short name ----------------------------------------------------------------------

    def find(self, class_id: int, logical_name: LogicalName) -> MappedObject | None:
        """Return the element of an object, or ``None``."""
        return self._by_name.get((class_id, logical_name))

    def layout(self, class_id: int, version: int) -> ClassLayout:
        """Return the layout of a class: as given, else that of the standard."""
        return self.layouts.get((class_id, version)) or layout_of(class_id, version)

    def attribute(self, class_id: int, logical_name: LogicalName, attribute_id: int) -> int | None:
        """Return the short name of an attribute; ``None`` if the table or the class has none."""
        found = self.find(class_id, logical_name)
        if found is None:
            return None
        return _name(found.base_name, self.layout(class_id, found.version).attribute(attribute_id))

    def method(self, class_id: int, logical_name: LogicalName, method_id: int) -> int | None:
        """Return the short name of a method; ``None`` if the table or the class has none."""
        found = self.find(class_id, logical_name)
        if found is None:
            return None
        return _name(found.base_name, self.layout(class_id, found.version).method(method_id))

    # --- from short name to name ----------------------------------------------------------------------

    def member(self, short_name: int) -> ShortNameMember | None:
        """Return the attribute or method of a short name 0..65535; ``None`` if there is none."""
        place = bisect_right(self._sorted, short_name) - 1
        if place < 0:
            return None
        found = self._by_base_name[self._sorted[place]]
        member = self.layout(found.class_id, found.version).member(short_name - found.base_name)
        if member is None:
            return None
        return ShortNameMember(found.class_id, found.version, found.logical_name, *member)

    # --- other forms -----------------------------------------------------------------------------------

    @classmethod
    def from_object_list(
        cls, value: DataValue, finding: Callable[[str], object] = lambda _: None
    ) -> ShortNameTable:
        """Return the table that the attribute ``object_list`` of an Association SN means.

        An object, or a base name, that comes twice counts only once: the first time.

        Args:
            value: The list.
            finding: Told what deviates from the standard.

        Raises:
            DecodeError: It is no array of structures of base name, class, version and logical name.
        """
        if not isinstance(value, tuple):
            raise DecodeError("object_list is no array", 0)
        return cls(_once((_element(index, each, finding) for index, each in enumerate(value)), finding))

    def to_object_list(self) -> Array:
        """Return the value of ``object_list``, base names ascending."""
        return Array(self._by_base_name[base_name].to_data() for base_name in self._sorted)

    @classmethod
    def from_text(cls, text: str) -> ShortNameTable:
        """Return the table of a text: a line for each object, what follows ``#`` is a remark.

        A line holds base name in hexadecimal, class_id, version and logical name,
        such as ``FD00 1 0 0.0.42.0.0.255``.

        Raises:
            ConversionError: A line is something else, or contradicts one before it about an object or a base
                name; the text says which.
        """
        number = 0
        said: set[MappedObject] = set()

        def objects() -> Iterator[MappedObject]:
            nonlocal number
            for number, line in enumerate(text.splitlines(), 1):
                words = line.partition("#")[0].split()
                if not words:
                    continue
                try:
                    found = _from_words(words)
                except ValueError as error:
                    raise ConversionError(f"line {number} of the mapping table: {error}") from None
                if found not in said:
                    said.add(found)
                    yield found

        def twice(finding: str) -> None:
            raise ConversionError(f"line {number} of the mapping table: {finding.partition(': ')[2]}")

        return cls(_once(objects(), twice))

    def to_text(self) -> str:
        """Return the text that :meth:`from_text` takes, base names ascending."""
        listed = (self._by_base_name[base_name] for base_name in self._sorted)
        return "".join(
            f"{each.base_name:04X} {each.class_id} {each.version} {each.logical_name}\n" for each in listed
        )


def initial_table(vaa_name: int = ASSOCIATION_SN) -> ShortNameTable:
    """Return what a client knows before it was told anything: the current Association SN.

    Args:
        vaa_name: Its base name by the InitiateResponse; FA00 is taken where that is none.
    """
    base_name = vaa_name if vaa_name and not vaa_name % 8 else ASSOCIATION_SN
    current = MappedObject(base_name, _ASSOCIATION_SN_CLASS, _NEWEST_ASSOCIATION_SN, CURRENT_ASSOCIATION)
    return ShortNameTable((current,), complete=False)


def _name(base_name: int, offset: int | None) -> int | None:
    """Return base name and distance together, unless there is no distance or they pass the last name."""
    return None if offset is None or base_name + offset > 0xFFFF else base_name + offset


def _element(index: int, value: Any, finding: Callable[[str], object]) -> MappedObject:
    try:
        base_name, class_id, version, name = value
        if not isinstance(name, bytes) or isinstance(base_name, bool):
            raise TypeError("a base name is an integer, and a logical name an octet-string")
        if not -0x8000 <= int(base_name) <= 0xFFFF:
            raise ValueError(f"the base name {int(base_name):X} has more than 16 bits")
        found = MappedObject(
            as_unsigned(int(base_name)), int(class_id), int(version), LogicalName(bytes(name))
        )
    except (TypeError, ValueError) as error:
        raise DecodeError(f"object_list[{index}] is no object with a base name: {error}", 0) from None
    if type(base_name) is not Long:
        finding(f"object-list-base-name: {found.base_name:04X} is a {type(base_name).__name__}, not a Long")
    return found


def _same_association(one: MappedObject, other: MappedObject) -> bool:
    """Return whether two elements are the current association by the name that means it and by its own."""
    return one.class_id == other.class_id == _ASSOCIATION_SN_CLASS and CURRENT_ASSOCIATION in (
        one.logical_name,
        other.logical_name,
    )


def _once(objects: Iterable[MappedObject], finding: Callable[[str], object]) -> Iterator[MappedObject]:
    """Yield each object once, and one object for each base name: the first; what comes second is a finding."""
    names: set[tuple[int, LogicalName]] = set()
    taken: dict[int, MappedObject] = {}
    for each in objects:
        if (each.class_id, each.logical_name) in names:
            finding(f"object-list-double: {each.logical_name} of class {each.class_id} comes twice")
            continue
        before = taken.setdefault(each.base_name, each)
        if before is not each and not _same_association(before, each):
            finding(
                f"object-list-base-name-double: {each.base_name:04X} is the base name of {before.logical_name}"
                f" already, not of {each.logical_name}"
            )
            continue
        names.add((each.class_id, each.logical_name))
        yield each


def _from_words(words: list[str]) -> MappedObject:
    if len(words) != _COLUMNS:
        raise ConversionError(f"{len(words)} words, wanted are base name, class_id, version and logical name")
    base_name, class_id, version = int(words[0], 16), int(words[1]), int(words[2])
    if not 0 <= class_id <= 0xFFFF or not 0 <= version <= 0xFF:
        raise ConversionError(f"class_id {class_id} or version {version} is out of range")
    return MappedObject(base_name, class_id, version, LogicalName(words[3]))
