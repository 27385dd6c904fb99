"""What the client gives back: results of batches, readings, entries of the object list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cosem.errors import CosemError
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit

if TYPE_CHECKING:
    from cosem.types.data import DataValue

__all__ = ["ObjectEntry", "Reading", "Result"]

T = TypeVar("T")


class Result(Generic[T]):
    """What came of one item of a batch: a value, or the error that stands for it.

    Attributes:
        logical_name: The object.
        class_id: Its interface class; 0 where it could not be found out.
        number: The attribute, or the method.
        error: Why there is no value; ``None`` if there is one.
    """

    __slots__ = ("_value", "class_id", "error", "logical_name", "number")

    def __init__(
        self,
        logical_name: LogicalName,
        class_id: int,
        number: int,
        value: T | None = None,
        error: CosemError | None = None,
    ) -> None:
        self.logical_name = logical_name
        self.class_id = class_id
        self.number = number
        self.error = error
        self._value = value

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    @property
    def value(self) -> T:
        """The value.

        Raises:
            AccessError: The server refused this attribute.
            ActionError: The server refused this method.
            CosemError: What else stood in the way of this item.
        """
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]

    def __repr__(self) -> str:
        outcome = f"value={self._value!r}" if self.error is None else f"error={self.error!r}"
        return f"<Result {self.logical_name} {self.number}: {outcome}>"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that was read, and all that tells what it means.

    Args:
        obis: The object.
        name: What the object is, in words.
        class_id: Its interface class.
        attribute: The attribute that was read.
        value: The physical value, exact, of a register; else what the class makes of the raw value:
            a date-time, a text, a number.
        unit: Symbol of the unit; empty for none.
        raw: The value as it came.
        scaler_unit: Scaler and unit of the object, where it has them.
        scaler_origin: Where they come from: ``"meter"``, ``"none"`` (the class has none),
            ``"refused"`` (the meter did not give them: ``value`` is not scaled).
        status: The status attribute of extended and demand registers.
        capture_time: When the meter captured the value, of extended and demand registers.
    """

    obis: LogicalName
    name: str
    class_id: int
    attribute: int
    value: Decimal | Any
    unit: str
    raw: DataValue
    scaler_unit: ScalerUnit | None = None
    scaler_origin: str = "none"
    status: DataValue = None
    capture_time: datetime | Any | None = None

    def __str__(self) -> str:
        return f"{self.value} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """An object that this association sees.

    Args:
        class_id: Its interface class.
        version: The version of the class.
        logical_name: Its name.
        title: The name of the class.
        name: What the object is, in words; empty if the code means nothing known.
        attribute_rights: What may be done with each attribute, in words: ``"read"``, ``"write"``,
            ``"read write"`` or empty, with ``authenticated`` and the like where the meter demands protection.
        method_rights: The same for each method: ``"call"`` or empty.
        access_selectors: The selective accesses that each attribute offers.
        base_name: Its short name, where the association refers by short names.
    """

    class_id: int
    version: int
    logical_name: LogicalName
    title: str
    name: str
    attribute_rights: Mapping[int, str] = field(default_factory=dict)
    method_rights: Mapping[int, str] = field(default_factory=dict)
    access_selectors: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    base_name: int | None = None

    def readable(self, attribute: int) -> bool:
        """Return whether the rights let this association read an attribute; unknown rights do."""
        return "read" in self.attribute_rights.get(attribute, "read")

    def writable(self, attribute: int) -> bool:
        """Return whether the rights let this association write an attribute; unknown rights do."""
        return "write" in self.attribute_rights.get(attribute, "write")
