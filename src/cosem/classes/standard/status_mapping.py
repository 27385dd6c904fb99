"""Status mapping: what the bits of a status word mean.

(Blue Book, class_id 63)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.structured import Structured, member

__all__ = ["MappingTable", "StatusMapping"]


class MappingTable(Structured):
    """Which reference table the bits follow: the first entry, or the entry of each bit."""

    ref_table_id: int = member("unsigned")
    ref_table_mapping: Any = member("CHOICE(long-unsigned, array of long-unsigned)")


class StatusMapping(
    InterfaceClass,
    class_id=63,
    version=0,
    title="Status mapping",
    status="current",
    confidence="high",
    logical_names=(
        "0.b.96.3.0-4.255",
        "0.b.96.4.0-4.255",
        "0.b.96.5.0-4.255",
        "0.b.96.10.1-10.255",
        "1.b.96.5.0-5.255",
        "1.b.96.10.0-3.255",
    ),
):
    """Status mapping (class_id 63, version 0): a status word, and the tables that explain its bits."""

    status_word = Attribute(
        2,
        "CHOICE(bit-string, double-long-unsigned, octet-string, visible-string, utf8-string, unsigned, long-unsigned, long64-unsigned)",
        nature="dynamic",
    )
    mapping_table = Attribute(3, MappingTable)
