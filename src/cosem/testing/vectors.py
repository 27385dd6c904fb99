"""Octets with their meaning, kept in JSON files: one list of entries, each with ``id`` and ``hex``.

>>> import json, pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     file = pathlib.Path(folder) / "mine.json"
...     _ = file.write_text(json.dumps([{"id": "get", "hex": "C001 C1", "kind": "apdu"}]))
...     load(file)[0].octets.hex()
'c001c1'
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosem.errors import ConversionError

__all__ = ["Vector", "load"]


@dataclass(frozen=True, slots=True)
class Vector:
    """One entry of a file of vectors.

    Args:
        id: Its name, fit to be the id of a test.
        octets: Its octets; empty where the entry has none of its own.
        entry: All that the file says of it.
    """

    id: str
    octets: bytes
    entry: dict[str, Any] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        """Return what the entry says under ``name``; KeyError if it says nothing."""
        return self.entry[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return what the entry says under ``name``, or ``default``."""
        return self.entry.get(name, default)

    def hex(self, name: str) -> bytes:
        """Return the octets that the entry gives as hexadecimal text under ``name``."""
        return bytes.fromhex(self.entry[name])


def load(file: Path | str) -> tuple[Vector, ...]:
    """Return every vector of a file, in its order.

    A file may be a list, or an object whose only list holds the entries. An entry without ``id`` is
    called by its ``code``.

    Raises:
        ConversionError: It is no such file.
    """
    content = json.loads(Path(file).read_text(encoding="utf-8"))
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else None
    try:
        return tuple(
            Vector(entry.get("id") or entry["code"], bytes.fromhex(entry.get("hex", "")), entry)
            for entry in content
        )
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ConversionError(f"{file} holds no vectors: {error!r}") from None
