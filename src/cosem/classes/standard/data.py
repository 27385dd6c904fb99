"""Data: any value that has no class of its own.

(Blue Book, class_id 1)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["Data"]


class Data(
    InterfaceClass,
    class_id=1,
    version=0,
    title="Data",
    status="current",
    confidence="excerpt",
    logical_names=("any (see obis.json)",),
):
    """Data (class_id 1, version 0).

    One value of any type, such as a serial number, a parameter or a counter without unit.

    What the value means is said by the logical name; its type is fixed when the meter is made.
    """

    value = Attribute(2, "CHOICE(any)", nature="either", access="rw")
