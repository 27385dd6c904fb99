"""Utility tables: an ANSI C12.19 table as an object.

(Blue Book, class_id 26)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["UtilityTables"]


class UtilityTables(
    InterfaceClass,
    class_id=26,
    version=0,
    title="Utility tables",
    status="current",
    confidence="high",
    logical_names=("0.b.65.0-63.e.255",),
):
    """Utility tables (class_id 26, version 0): one table of ANSI C12.19: its number, length and octets."""

    table_ID = Attribute(2, "long-unsigned")
    length = Attribute(3, "double-long-unsigned", nature="dynamic")
    buffer = Attribute(4, "octet-string", nature="dynamic", access="rw")
