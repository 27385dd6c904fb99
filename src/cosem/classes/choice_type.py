"""The type of a value that may have one of several types.

Where the alternatives leave a number open, nothing is guessed: the value just read
decides, or the caller says of which type it is.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, Final

from cosem.classes.coercion import KINDS, type_name
from cosem.classes.data_types import DataType, SimpleType
from cosem.errors import EncodeError
from cosem.types.data import DataValue
from cosem.types.date_time import Date, DateTime, Time

__all__ = ["ChoiceType"]


class ChoiceType(DataType):
    """One of several types.

    Args:
        text: How it is written.
        alternatives: The types; ``None`` if any type may stand here, or the standard leaves it open.
    """

    __slots__ = ("alternatives",)

    def __init__(self, text: str, alternatives: tuple[DataType, ...] | None) -> None:
        super().__init__(text)
        self.alternatives = alternatives

    def mismatch(self, value: DataValue) -> str | None:
        """Return why ``value`` is none of the types, or ``None``."""
        if self.alternatives is None:
            name = type_name(value)
            return f"a COSEM type wanted, {name} given" if name.endswith(" (no COSEM type)") else None
        problems = [alternative.mismatch(value) for alternative in self.alternatives]
        if None in problems:
            return None
        return f"{self.text} wanted, {type_name(value)} given" if len(problems) > 1 else problems[0]

    def default(self) -> DataValue:
        """Return null-data where it is allowed, else the default of the first type."""
        if self.alternatives is None:
            return None
        return self.alternatives[0].default()

    def coerce(self, value: Any, like: DataValue = None, path: str = "") -> DataValue:
        """Return ``value`` as the type of ``like``, as the type it has, or as the first type that takes it.

        Raises:
            EncodeError: No type takes it, or it is a number and nothing says of which type.
        """
        if like is not None and type_name(value) == _PLAIN.get(type(value), ""):
            matching = _type_of(like, self.alternatives)
            if matching is not None:
                return matching.coerce(value, like, path)
        calendar = isinstance(value, (DateTime, Date, Time))
        if isinstance(value, (DateTime, Date, Time, datetime, date, time)):
            # A moment may stand as one or as octets: it keeps the form that it has.
            matching = (
                None if like is None or self.alternatives is None else _type_of(like, self.alternatives)
            )
            if matching is not None and type_name(like) in _FORMS:
                return matching.coerce(value, like, path)
        if self.mismatch(value) is None and not (calendar and self.alternatives is not None):
            found: DataValue = value
            return found
        for alternative in self._plain_alternatives(value):
            try:
                return alternative.coerce(value, like, path)
            except EncodeError:
                continue
        problem = f"{value!r} is no {self.text}"
        if isinstance(value, (int, float)):
            problem += ": say of which type, for example DoubleLongUnsigned(5)"
        raise EncodeError(problem, path)

    def _plain_alternatives(self, value: Any) -> tuple[DataType, ...]:
        """Return the types to try; where many would take a number, none is guessed."""
        if self.alternatives is not None and not self.text.endswith("(simple)"):
            return self.alternatives
        if isinstance(value, str):
            return (SimpleType("visible-string"), SimpleType("utf8-string"))
        if isinstance(value, (bytearray, memoryview, datetime, date, time, DateTime, Date, Time)):
            return (SimpleType("octet-string"),)
        return ()

    def adopt(self, value: DataValue) -> DataValue:
        """Return ``value`` adopted by the alternative that it is of."""
        for alternative in self.alternatives or ():
            if alternative.mismatch(value) is None:
                return alternative.adopt(value)
        return value

    def read(self, value: DataValue) -> Any:
        """Return ``value`` read by the alternative that it is of, else by the first that knows better."""
        for alternative in self.alternatives or ():
            if alternative.mismatch(value) is None:
                return alternative.read(value)
        return value


_FORMS: Final = frozenset({"octet-string", "date-time", "date", "time"})
"""Types that a moment may have."""
_PLAIN: Final[dict[type[Any], str]] = {
    int: "int (no COSEM type)",
    float: "float (no COSEM type)",
    str: "str (no COSEM type)",
    bytes: "octet-string",
}
"""Python values that do not say which COSEM type they are."""


def _type_of(value: DataValue, alternatives: tuple[DataType, ...] | None) -> DataType | None:
    """Return the alternative that ``value`` is of; of a free choice, its simple type."""
    for alternative in alternatives or ():
        if alternative.mismatch(value) is None:
            return alternative
    name = type_name(value)
    return SimpleType(name) if alternatives is None and name in KINDS else None
