"""What stands where a value would: dont-care, a Data that was not sent, and null-data that is meant."""

from __future__ import annotations

from enum import Enum as Enumeration
from typing import ClassVar, Final

__all__ = [
    "ABSENT",
    "Absent",
    "DONT_CARE",
    "DontCare",
    "NULL_DATA",
    "NullData",
]


class DontCare:
    """dont-care [255]: stands for any value in a request; never a value to store."""

    __slots__ = ()
    tag: ClassVar[int] = 255
    asn1_name: ClassVar[str] = "dont-care"

    def __repr__(self) -> str:
        return "DONT_CARE"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DontCare)

    def __hash__(self) -> int:
        return 255


DONT_CARE: Final = DontCare()


class Absent(Enumeration):
    """That an OPTIONAL Data was not sent, which is not the same as null-data (``None``)."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


class NullData(Enumeration):
    """null-data that is meant: written and sent even where the class of the object declares another type."""

    NULL_DATA = "null-data"

    def __repr__(self) -> str:
        return "NULL_DATA"


NULL_DATA: Final = NullData.NULL_DATA
