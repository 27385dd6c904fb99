"""Values of Data in TOML: the typed form of :mod:`cosem.translate.data_json`, bent to what TOML can hold.

``{double-long-unsigned = 5}`` and ``{structure = [{integer = -1}, {enum = 30}]}``
are as in JSON. TOML has no null and no number above 2**63 - 1: null-data is
``{null-data = 0}``, and a larger number is a text. Rows of a profile share their types::

    {columns = ["octet-string", "double-long-unsigned"], rows = [["07EA...", 5], ["07EA...", 7]]}

Every value comes back with its octets. What has no type is left to the declaration of the
class: ``time_zone = -60``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

from cosem.codec.scalars import TAG_NAMES
from cosem.errors import EncodeError
from cosem.translate.data_json import data_from_json, data_to_json
from cosem.types.data import Array, CompactArray, DataValue, Structure

__all__ = ["toml_text", "value_from_toml", "value_to_toml"]

_LARGEST: Final = (1 << 63) - 1
_TYPES: Final = frozenset(TAG_NAMES.values())
_NOTHING: Final = frozenset({"null-data", "dont-care"})
_NESTED: Final = frozenset({"array", "structure"})
_FEWEST_ROWS: Final = 2
_WIDE: Final = 100
"""An array whose text is longer has a line for each element."""


def value_to_toml(value: DataValue) -> dict[str, Any]:
    """Return a value as a table of TOML.

    Raises:
        EncodeError: It is of no COSEM type.

    >>> value_to_toml(None)
    {'null-data': 0}
    """
    table = _table(value)
    return table if table is not None else _plain(data_to_json(value))


def _table(value: DataValue) -> dict[str, Any] | None:
    """Return an array of like rows with their types said once; ``None`` if it is none."""
    if not isinstance(value, Array) or isinstance(value, CompactArray) or len(value) < _FEWEST_ROWS:
        return None
    if not all(isinstance(row, Structure) for row in value):
        return None
    width = len(value[0])  # type: ignore[arg-type] # a structure
    rows = [[data_to_json(cell) for cell in row] for row in value if len(row) == width]  # type: ignore[union-attr,arg-type]
    if width == 0 or len(rows) < len(value):
        return None
    columns = [
        next((name for row in rows for name in row[index] if name not in _NOTHING), "null-data")
        for index in range(width)
    ]
    if any(name in _NESTED or name in ("compact-array", "null-data") for name in columns):
        return None
    return {
        "columns": columns,
        "rows": [[_cell(cell, name) for cell, name in zip(row, columns, strict=True)] for row in rows],
    }


def _cell(cell: dict[str, Any], column: str) -> Any:
    ((name, content),) = cell.items()
    if name != column or isinstance(content, dict):
        return _plain(cell)
    return _number(content)


def _plain(value: Any) -> Any:
    """Return JSON without what TOML does not know."""
    if isinstance(value, dict):
        return {name: 0 if name in _NOTHING else _plain(content) for name, content in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    return value


def value_from_toml(
    value: Any, untyped: Callable[[Any], DataValue] | None = None, path: str = ""
) -> DataValue:
    """Return the value of Data that a value of TOML means.

    Args:
        value: What the file has.
        untyped: Makes Data of what says no type, as the declaration of the class does.
        path: Where the value stands, for the error.

    Raises:
        EncodeError: It means none; the path says where.

    >>> value_from_toml({"long-unsigned": 5})
    LongUnsigned(5)
    """
    if isinstance(value, dict) and value.keys() == {"columns", "rows"}:
        return _from_table(value, path)
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _TYPES:
        return data_from_json(_to_json(value), path)  # type: ignore[no-any-return]
    if untyped is None:
        raise EncodeError("a value with its type is wanted, such as {unsigned = 5}", path)
    return untyped(_typed_within(value, path))


def _typed_within(value: Any, path: str) -> Any:
    """Return lists without a type with the typed values in them as Data."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _TYPES:
        return data_from_json(_to_json(value), path)
    if isinstance(value, list):
        return [_typed_within(member, f"{path}[{index}]") for index, member in enumerate(value)]
    return value


def _from_table(value: Mapping[str, Any], path: str) -> Array:
    columns, rows = value["columns"], value["rows"]
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise EncodeError("columns and rows are lists", path)
    made = []
    for number, row in enumerate(rows):
        where = f"{path}.rows[{number}]".removeprefix(".")
        if not isinstance(row, list) or len(row) != len(columns):
            raise EncodeError(f"a row of {len(columns)} cells is wanted", where)
        made.append(
            Structure(
                data_from_json(_to_json(cell) if isinstance(cell, dict) else {name: cell}, where)
                for name, cell in zip(columns, row, strict=True)
            )
        )
    return Array(made)


def _to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name in _NOTHING else _to_json(content) for name, content in value.items()}
    if isinstance(value, list):
        return [_to_json(member) for member in value]
    return value


def toml_text(value: Any) -> str:
    r"""Return a value as the text of TOML: in one line, or an array with a line for each element.

    >>> toml_text({"a": 1, "b": [True, "x\n"]})
    '{a = 1, b = [true, "x\\n"]}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # The escapes of JSON are those of TOML, but for DEL, which JSON leaves alone.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(name)} = {toml_text(content)}' for name, content in value.items())}}}"
    if isinstance(value, (list, tuple)):
        parts = [toml_text(member) for member in value]
        line = f"[{', '.join(parts)}]"
        if len(line) <= _WIDE or len(parts) == 1 or not any(isinstance(m, (list, dict)) for m in value):
            return line
        return "[\n  " + ",\n  ".join(parts) + ",\n]"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return repr(value)


def _key(name: str) -> str:
    bare = name and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in name)
    return name if bare else toml_text(name)
