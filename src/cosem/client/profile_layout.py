"""What the rows of a profile mean: its columns, with scalers and units, its period and its order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from cosem.client.naming import object_name
from cosem.errors import ConversionError, ProtocolError
from cosem.types.data import Integer, LongUnsigned, OctetString, Structure
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit

__all__ = ["CLOCK_COLUMNS", "Column", "ProfileLayout", "columns_of"]

CLOCK_COLUMNS: Final = frozenset({(8, 2)})
"""Class and attribute of columns that hold the time of a row."""
_MOMENTS: Final = frozenset({(4, 5), (5, 6), (5, 7), (8, 2)})
"""Class and attribute of every column that holds date-times."""
_UNIX_CLOCK: Final = LogicalName("0.0.1.1.0.255")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a profile: which attribute was captured, and how its values read.

    Args:
        class_id: The class of the captured object.
        logical_name: Its name.
        attribute: The captured attribute.
        data_index: Which element of a structured attribute; 0 for the whole.
        kind: ``"moment"`` for date-times, ``"seconds"`` for seconds since 1970, ``"value"`` for the rest.
        scaler_unit: Scaler and unit of the object, where it has them.
        key: What the column is called in dictionaries and files; no other column has it.
        tags: Tags of the values that were met so far, null-data left out: what type a column has in which there is
            none.
        zoned: Of date-times that were met: whether they say their distance from UTC; ``None`` if none was.
    """

    class_id: int
    logical_name: LogicalName
    attribute: int
    data_index: int = 0
    kind: Literal["moment", "seconds", "value"] = "value"
    scaler_unit: ScalerUnit | None = None
    key: str = ""
    tags: frozenset[int] = field(default=frozenset(), compare=False, repr=False)
    zoned: bool | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What the object is, in words."""
        return object_name(self.logical_name)

    @property
    def unit(self) -> str:
        """The symbol of the unit; empty for none."""
        return "" if self.scaler_unit is None else self.scaler_unit.unit.symbol

    @property
    def is_clock(self) -> bool:
        """Whether it holds the time at which a row was captured."""
        return (self.class_id, self.attribute) in CLOCK_COLUMNS or self.kind == "seconds"

    def to_data(self) -> Structure:
        """Return the capture_object_definition."""
        return Structure(
            (
                LongUnsigned(self.class_id),
                OctetString(self.logical_name),
                Integer(self.attribute),
                LongUnsigned(self.data_index),
            )
        )


@dataclass(frozen=True, slots=True)
class ProfileLayout:
    """What stays the same from one reading of a profile to the next.

    Args:
        logical_name: The profile.
        columns: What its rows hold.
        capture_period: Seconds from row to row; 0 if rows are captured by events, ``None`` if the meter does not say.
        sort_method: 1 fifo, 2 lifo, and so on; ``None`` if the meter does not say.
    """

    logical_name: LogicalName
    columns: tuple[Column, ...]
    capture_period: int | None = None
    sort_method: int | None = None

    @property
    def newest_first(self) -> bool:
        """Whether the rows come in reverse order."""
        return self.sort_method == 2

    @property
    def clock(self) -> Column | None:
        """The column that tells the time of a row."""
        return next((column for column in self.columns if column.is_clock), None)


def columns_of(value: Any) -> tuple[Column, ...]:
    """Return the columns that capture_objects names, without scalers.

    Raises:
        ProtocolError: It is no list of capture objects.
    """
    if not isinstance(value, tuple):
        raise ProtocolError(f"capture_objects expected, {type(value).__name__} received")
    columns = []
    for element in value:
        try:
            class_id, name, attribute, data_index = element[:4]
            columns.append(_column(int(class_id), LogicalName(name), int(attribute), int(data_index)))
        except (ConversionError, TypeError, ValueError):
            raise ProtocolError(f"capture_objects has no object in {element!r}") from None
    return _with_keys(columns)


def _column(class_id: int, name: LogicalName, attribute: int, data_index: int) -> Column:
    kind: Literal["moment", "seconds", "value"] = "value"
    if (class_id, attribute) in _MOMENTS:
        kind = "moment"
    elif (class_id, attribute) == (1, 2) and name == _UNIX_CLOCK:
        kind = "seconds"
    return Column(class_id, name, attribute, data_index, kind)


def _with_keys(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Give each column a name of its own: the code, and as much more as tells it from the others."""
    keyed: dict[str, Column] = {}
    for column in columns:
        code = column.logical_name.reduced.removesuffix("*255")
        key = code if column.attribute == 2 and not column.data_index else f"{code}/{column.attribute}"
        if column.data_index:
            key += f"[{column.data_index}]"
        unique, number = key, 2
        while unique in keyed:
            unique, number = f"{key}#{number}", number + 1
        keyed[unique] = replace(column, key=unique)
    return tuple(keyed.values())
