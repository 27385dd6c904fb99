"""What a peer says: one JSON object on standard output, a case each, and never a traceback instead of an answer.

The scripts of this folder run with the interpreter of ``.venv-interop``. They import the peer, never cosem; the
tests start them as processes and read what they print.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Report", "Security", "arguments", "plain"]


@dataclass
class Security:
    """How the association is to be opened.

    Args:
        mechanism: Number of the authentication mechanism of the standard, 0 or 1.
        secret: The password.
    """

    mechanism: int = 0
    secret: str | None = None

    @classmethod
    def from_json(cls, text: str) -> Security:
        """Return what a JSON object says."""
        return cls(**json.loads(text))


def arguments(description: str) -> argparse.Namespace:
    """Return what the test asks for; ``plan`` is a JSON object made by ``demonstration.py``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--client", type=int, default=16)
    parser.add_argument("--server", type=int, default=1)
    parser.add_argument("--security", type=Security.from_json, default=Security())
    parser.add_argument("--plan", type=json.loads, required=True)
    parser.add_argument("--brief", action="store_true", help="read little, write nothing")
    return parser.parse_args()


class Report:
    """Collects the result of each case; a case that fails says why and does not stop the others."""

    def __init__(self) -> None:
        self.cases: dict[str, Any] = {}

    @contextlib.contextmanager
    def case(self, name: str) -> Iterator[Callable[[Any], None]]:
        """Run the block as the case ``name``; it hands its result to the function that it is given."""
        entry: dict[str, Any] = {"ok": False, "value": None}
        self.cases[name] = entry

        def result(value: Any) -> None:
            entry["value"] = value

        try:
            yield result
        except Exception:  # noqa: BLE001 -- a peer may raise anything; the test shows it
            entry["error"] = traceback.format_exc()
        else:
            entry["ok"] = True

    def ok(self, name: str) -> bool:
        """Return whether a case went well."""
        return bool(self.cases[name]["ok"])

    def print(self) -> None:
        """Print every case."""
        print(json.dumps(self.cases, default=plain))


def plain(value: Any) -> Any:
    """Return octets as hexadecimal text, times in ISO form, and whatever else as its text."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)
