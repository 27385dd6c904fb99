"""Data, octet by octet: the tree of a value with the place of every element.

The codec that programs use gives values and nothing else, and is fast. This one
walks the same octets again to say where each element lies; it is called only for
octets that the codec has accepted, so its depth is bounded.
"""

from __future__ import annotations

from typing import Any

from cosem.codec.compact_array import read_contents, read_type_description
from cosem.codec.data import read_data
from cosem.codec.reader import Reader
from cosem.codec.scalars import TAG_NAMES
from cosem.translate.item import Item
from cosem.translate.naming import object_name
from cosem.types.data import BitString, OctetString, TypeDescription, Utf8String, VisibleString
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.logical_name import LogicalName

__all__ = ["data_item", "date_time_note", "description_text", "octets_note", "value_text"]

_ARRAY, _STRUCTURE, _COMPACT_ARRAY = 1, 2, 19


def data_item(reader: Reader, name: str) -> Item:
    """Return the Data at the reader as a tree, and move behind it."""
    start = reader.pos
    tag = reader.data[start]
    kind = TAG_NAMES.get(tag, f"tag {tag:02X}")
    if tag in (_ARRAY, _STRUCTURE):
        reader.pos += 1
        count = reader.count()
        children = tuple([data_item(reader, str(index)) for index in range(count)])
        return Item(name, start, reader.pos, f"{kind} of {count}", children=children)
    if tag == _COMPACT_ARRAY:
        reader.pos += 1
        return _compact_array_item(reader, name, start)
    value = read_data(reader)
    return Item(name, start, reader.pos, kind, value_text(value), _note(value))


def _compact_array_item(reader: Reader, name: str, start: int) -> Item:
    described = reader.pos
    description = read_type_description(reader)
    description_item = Item("contents-description", described, reader.pos, text=description_text(description))
    begin = reader.pos
    octets = reader.octet_string()
    inner = Reader(octets, limits=reader.limits)
    elements = tuple(
        [
            Item(
                str(index),
                reader.pos,
                reader.pos,
                text=value_text(element) or "null-data",
                note=_note(element),
            )
            for index, element in enumerate(read_contents(inner, description, described_by=begin - described))
        ]
    )
    contents = Item("array-contents", begin, reader.pos, text=octets.hex().upper(), children=elements)
    return Item(
        name, start, reader.pos, f"compact-array of {len(elements)}", children=(description_item, contents)
    )


def description_text(description: TypeDescription) -> str:
    """Return a type description in one line.

    >>> description_text(TypeDescription(2, 0, (TypeDescription(17), TypeDescription(18))))
    'structure{unsigned, long-unsigned}'
    """
    if description.tag == _STRUCTURE:
        return f"structure{{{', '.join(map(description_text, description.members))}}}"
    if description.tag == _ARRAY:
        return f"array[{description.count}] of {description_text(description.members[0])}"
    return TAG_NAMES.get(description.tag, f"tag {description.tag:02X}")


def value_text(value: Any) -> str:
    """Return a value of Data in one line, as its octets where they have no better form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"{{{', '.join(value_text(member) or 'null-data' for member in value)}}}"
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex().upper()
    if isinstance(value, str):
        return repr(str(value))
    if isinstance(value, (BitString, Date, DateTime, Time)):
        return str(value) or "no bits"
    if isinstance(value, float):
        return repr(float(value))
    return str(int(value)) if isinstance(value, int) else ""


def _note(value: Any) -> str:
    """Return what may help with a value: text, a name, a moment, or that it is not well-formed."""
    if isinstance(value, OctetString):
        return octets_note(value)
    if isinstance(value, DateTime):
        return status_note(value)
    if isinstance(value, (VisibleString, Utf8String)) and not value.well_formed:
        return f"not {'ASCII' if isinstance(value, VisibleString) else 'UTF-8'}: {value.octets.hex().upper()}"
    return ""


def octets_note(octets: bytes) -> str:
    """Return what octets without a type may be: a moment, text or a logical name; empty if nothing is likely."""
    text = OctetString(octets).text
    if len(octets) == 12 and (note := date_time_note(octets)):
        return note
    if text is not None and len(octets) > 1:
        return repr(text)
    if len(octets) == 6:
        name = LogicalName(octets)
        meaning = object_name(name)
        return f"{name.reduced} {meaning}".rstrip()
    return ""


def date_time_note(octets: bytes) -> str:
    """Return the moment or pattern of 12 octets; empty if they can be none."""
    if len(octets) != 12:
        return ""
    value = DateTime(octets)
    ranges = (
        (octets[2], 1, 12, 0xFD),
        (octets[3], 1, 31, 0xE0),
        (octets[4], 1, 7, 0xFF),
        (octets[5], 0, 23, 0xFF),
        (octets[6], 0, 59, 0xFF),
        (octets[7], 0, 59, 0xFF),
        (octets[8], 0, 99, 0xFF),
    )
    if not all(low <= octet <= high or octet >= special for octet, low, high, special in ranges):
        return ""
    if value.deviation is not None and abs(value.deviation) > 840:
        return ""
    note = status_note(value)
    return f"{value}; {note}" if note else str(value)


def status_note(value: DateTime) -> str:
    """Return the clock status in words, and what is odd about a date-time."""
    notes = []
    status = value.status
    if status:
        names = [str(flag.name).lower().replace("_", "-") for flag in type(status) if flag in status]
        notes.append(", ".join(names) or f"status {int(status):02X}")
    if not value.date_fault and not value.weekday_is_consistent:
        notes.append(f"day of week {value.weekday} does not fit the date")
    if value.deviation is not None and abs(value.deviation) > 720:
        notes.append(f"deviation {value.deviation} is outside -720..720")
    return "; ".join(notes)
