"""How objects, values and refusals are shown, the same in every verb."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cosem.cli.output import plain

if TYPE_CHECKING:
    from cosem.client.results import Reading, Result
    from cosem.types.logical_name import LogicalName

__all__ = ["name_of", "reading_facts", "refusal_facts", "short_name", "status_of", "type_of", "value_lines"]


def short_name(name: LogicalName) -> str:
    """Return a logical name as people write it: without F where that says nothing.

    >>> from cosem.types.logical_name import LogicalName
    >>> short_name(LogicalName("1.0.1.8.0.255")), short_name(LogicalName("1.0.1.8.0.101"))
    ('1-0:1.8.0', '1-0:1.8.0*101')
    """
    return name.reduced.removesuffix("*255")


def name_of(name: LogicalName) -> str:
    """Return what an object is, in words; empty if the code means nothing known."""
    from cosem.classes.obis import describe

    description = describe(name)
    return description.short if description.known else ""


def type_of(value: Any) -> str:
    """Return the name of the type of a value of Data.

    >>> type_of(None), type_of(True)
    ('null-data', 'boolean')
    """
    from cosem.classes.coercion import type_name

    return type_name(value)


def reading_facts(reading: Reading) -> dict[str, Any]:
    """Return a reading as JSON can hold it; ``raw`` with ``type`` is the value as it came."""
    facts = {
        "obis": str(reading.obis),
        "name": reading.name,
        "class_id": reading.class_id,
        "attribute": reading.attribute,
        "value": _value(reading.value),
        "unit": reading.unit,
        "raw": plain(reading.raw),
        "type": type_of(reading.raw),
    }
    if reading.status is not None:
        facts["status"] = plain(reading.status)
    if reading.capture_time is not None:
        facts["capture_time"] = plain(reading.capture_time)
    return facts


def _value(value: Any) -> Any:
    """Return the value of a reading: octets that are text as text."""
    if isinstance(value, (bytes, bytearray)):
        from cosem.types.data import OctetString

        text = OctetString(value).text
        if text is not None and len(value) > 1:
            return text
    return plain(value)


def refusal_facts(name: LogicalName, class_id: int, attribute: int, error: Exception) -> dict[str, Any]:
    """Return what stands in the place of a value that was refused."""
    return {
        "obis": str(name),
        "name": name_of(name),
        "class_id": class_id or None,
        "attribute": attribute,
        "error": str(error),
    }


def status_of(program: str, results: Sequence[Result[Any]]) -> int:
    """Return the exit status of a batch; what was refused is told in one line on standard error."""
    refused = [result.error for result in results if result.error is not None]
    if not refused:
        return 0
    sys.stdout.flush()
    count = f"{len(refused)} of {len(results)} refused, the first: " if len(refused) > 1 else ""
    print(f"{program}: error: {count}{refused[0]}", file=sys.stderr)
    return 1


def value_lines(value: Any) -> list[str]:
    r"""Return a value of Data as lines, with types; the parts of arrays and structures are indented.

    >>> from cosem.types.data import Enum, Integer, Structure
    >>> print(*value_lines(Structure((Integer(-1), Enum(30)))), sep="\n")
    structure of 2
      0: integer = -1
      1: enum = 30
    """
    from cosem.codec.data import encode_data
    from cosem.translate.explain import explain_data

    root = explain_data(encode_data(value)).root
    lines = [f"{'  ' * depth}{item.line()}" for depth, item in root.walk()]
    return [lines[0].removeprefix("data: "), *lines[1:]]
