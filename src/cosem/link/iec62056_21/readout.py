"""What a meter says as text: data sets of readouts, of programming mode and of P1 telegrams.

A data set is an address in OBIS style and one value or several, each with its
unit: ``1-0:1.8.0(000123.456*kWh)``. The text is kept as sent; numbers become
decimals when asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cosem.errors import ConversionError
from cosem.types.logical_name import LogicalName

__all__ = ["DataSet", "TextValue", "logical_name", "parse_data_sets"]

_VALUES: Final = re.compile(r"\(([^()]*)\)")
_DATA_SET: Final = re.compile(r"([^()\r\n]*)((?:\([^()\r\n]*\))+)")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_ADDRESS: Final = re.compile(
    r"(?:(?P<a>\d{1,3})-)?(?:(?P<b>\d{1,3}):)?(?P<c>\d{1,3}|[CFLP])\.(?P<d>\d{1,3}|[F])(?:\.(?P<e>\d{1,3}))?"
    r"(?P<separator>[*&.])?(?P<f>(?(separator)\d{1,3}))"
)
# Letters that stand for numbers of group C (IEC 62056-61, annex A; IEC 62056-21 readouts).
_LETTERS: Final = {"C": 96, "F": 97, "L": 98, "P": 99}


@dataclass(frozen=True, slots=True)
class TextValue:
    """One value in brackets.

    Args:
        text: What stands before ``*``, as sent.
        unit: What stands behind it; empty if nothing does.
    """

    text: str
    unit: str = ""

    @property
    def number(self) -> Decimal | None:
        """The value as a number, its zeros kept; ``None`` if it is none.

        >>> TextValue("000123.450", "kWh").number
        Decimal('123.450')
        """
        return Decimal(self.text.replace(",", ".")) if _NUMBER.fullmatch(self.text) else None


@dataclass(frozen=True, slots=True)
class DataSet:
    """An address and its values.

    Args:
        address: As sent, for example ``1-0:1.8.0``; empty if the meter leaves it out.
        values: One or several.
    """

    address: str
    values: tuple[TextValue, ...]

    @property
    def logical_name(self) -> LogicalName | None:
        """The address as a logical name; ``None`` if it is none."""
        return logical_name(self.address)

    def __str__(self) -> str:
        values = (f"({each.text}{'*' if each.unit else ''}{each.unit})" for each in self.values)
        return self.address + "".join(values)


def logical_name(address: str, a: int = 1, b: int = 0) -> LogicalName | None:
    """Return the logical name of an address in OBIS style; ``None`` if it is none.

    Groups that are left out get a default: A the medium ``a``, B the channel ``b``, E 0, F 255.

    >>> str(logical_name("1-0:1.8.0*255")), str(logical_name("1.8.1")), logical_name("serial")
    ('1.0.1.8.0.255', '1.0.1.8.1.255', None)
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return None
    c = _LETTERS.get(found["c"]) or int(found["c"])
    d = 97 if found["d"] == "F" else int(found["d"])
    groups = (
        a if found["a"] is None else int(found["a"]),
        b if found["b"] is None else int(found["b"]),
        c,
        d,
        int(found["e"] or 0),
        int(found["f"] or 255),
    )
    try:
        return LogicalName(groups)
    except ConversionError:
        return None


def parse_data_sets(text: str) -> tuple[DataSet, ...]:
    r"""Return every data set of a text, line by line; what is none is left out.

    >>> [str(each) for each in parse_data_sets("1.8.0(1.5*kWh)0.0.0(42)\r\n0-1:24.2.1(101209W)(12.7*m3)")]
    ['1.8.0(1.5*kWh)', '0.0.0(42)', '0-1:24.2.1(101209W)(12.7*m3)']
    """
    found = []
    for line in text.splitlines():
        for address, values in _DATA_SET.findall(line):
            parts = (value.partition("*") for value in _VALUES.findall(values))
            found.append(DataSet(address.strip(), tuple(TextValue(value, unit) for value, _, unit in parts)))
    return tuple(found)
