"""Where pushes go: the terminal, lines of JSON, CSV, SQLite; and the file of what could not be read."""

from __future__ import annotations

import csv
import json
import os
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from cosem.cli.output import human, json_text, plain
from cosem.cli.push_records import record
from cosem.cli.recording import naming
from cosem.types.text import printable, spreadsheet_text

if TYPE_CHECKING:
    from cosem.cli.push_keeping import Waiting
    from cosem.push import PushMessage

__all__ = ["CsvFile", "DeadLetters", "JsonLines", "Sink", "Terminal", "cell", "one_line"]


class Sink(Protocol):
    """What takes messages."""

    def take(self, message: PushMessage, source: str, received: str | None) -> Waiting | None:
        """Take a message; return when it will be kept, or ``None`` where it is now."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...


def one_line(value: Any) -> str:
    """Return JSON in one line, exact: decimals with all their digits."""
    return _compact(plain(value))


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(name))}: {_compact(each)}" for name, each in value.items())
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_compact, value)) + "]"
    return json_text(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=True)


class JsonLines:
    """One line of JSON for each message, to standard output."""

    def take(self, message: PushMessage, source: str, received: str | None) -> None:
        """Write a line."""
        print(one_line(record(message, source, received)), flush=True)

    def close(self) -> None:
        """Do nothing: each line stands for itself."""


class Terminal:
    """For people: a heading for each message, and its values in a table."""

    def take(self, message: PushMessage, source: str, received: str | None) -> None:
        """Write a message."""
        from cosem.cli.output import Column, print_table

        when = message.timestamp if message.timestamp is not None else received
        parts = [str(when) if when is not None else "", message.maker, source, " > ".join(message.framing)]
        if message.verification is not None:
            parts.append(message.verification.value)
        print(printable("  ".join(part for part in parts if part)))
        if message.reason:
            print(f"  {printable(message.reason)}")
        if message.findings:
            print(f"  findings: {', '.join(message.findings)}")
        if message.values:
            rows = [
                (
                    each.label,
                    each.name,
                    human(each.value),
                    printable(each.unit),
                )
                for each in message.values
            ]
            print_table(
                [
                    Column("OBIS", style="cyan"),
                    Column("name", wrap=True),
                    Column("value", right=True, style="bold", wrap=True),
                    Column("unit", style="green"),
                ],
                rows,
            )
        print(flush=True)

    def close(self) -> None:
        """Do nothing: each message stands for itself."""


_COLUMNS: Final = (
    *("received", "timestamp", "source", "system_title", "verification"),
    *("obis", "name", "class_id", "attribute", "value", "unit", "raw"),
)
_LONGEST_LINE: Final = 1024 * 1024
"""Octets at the end of a file that are looked at."""


def _end_of_line(path: str, quote: bytes = b"") -> str:
    """Return what ends the last line of a file: a full disk or a lost supply may have left it without an end.

    Args:
        path: The file.
        quote: What text stands between, which the line may have been cut in.
    """
    try:
        with Path(path).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_LINE))
            cut = file.read().rpartition(b"\n")[2]
    except PermissionError:  # it may be written, but not be read
        return ""
    inside = quote and cut.count(quote) % 2
    return (quote.decode() if inside else "") + "\n" if cut else ""


class CsvFile:
    """A line for each value, added to a file.

    Args:
        path: The file; ``-`` for standard output.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._own = path != "-"
        new = not self._own or not Path(path).is_file() or not Path(path).stat().st_size
        # Open as long as messages come; close() ends it.
        self._file = Path(path).open("a", newline="", encoding="utf-8") if self._own else sys.stdout  # noqa: SIM115
        self._path = path if self._own else ""
        self._writer = csv.writer(self._file)
        first = "" if new else _end_of_line(path, b'"')
        if new or first:
            try:
                with naming(self._path):
                    if new:
                        self._writer.writerow(_COLUMNS)
                    self._file.write(first)
                    self._file.flush()
            except OSError:
                with suppress(OSError):
                    self.close()
                raise

    def take(self, message: PushMessage, source: str, received: str | None) -> None:
        """Write the lines of a message."""
        said = record(message, source, received)
        outside = [_csv_cell(said.get(name)) for name in _COLUMNS[:5]]
        with naming(self._path):
            for value in said["values"]:
                self._writer.writerow([*outside, *(_csv_cell(value[name]) for name in _COLUMNS[5:])])
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._own:
            with naming(self._path):
                self._file.close()


def _csv_cell(value: Any) -> str:
    """Return a cell; what a meter says is text, and never a formula of a spreadsheet."""
    text = cell(value)
    return spreadsheet_text(text) if isinstance(plain(value), str) and text != "-" else printable(text)


def cell(value: Any) -> str:
    """Return a value as text, exact: decimals with all their digits, lists as JSON."""
    value = plain(value)
    if value is None:
        return ""
    return one_line(value) if isinstance(value, (list, dict, Decimal, bool)) else str(value)


class DeadLetters:
    """What could not be read, in a file: a line of JSON each, so that nothing is lost that a key may open later.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 -- open as long as messages come
        self._first = _end_of_line(path) if Path(path).is_file() else ""

    def take(self, octets: bytes, source: str, received: str | None, reason: str) -> None:
        """Write what came and why it could not be read."""
        said = {"received": received, "source": source, "reason": reason, "octets": octets.hex().upper()}
        with naming(self._path):
            self._file.write(self._first + json.dumps(said) + "\n")
            self._file.flush()
        self._first = ""

    def close(self) -> None:
        """Close the file."""
        with naming(self._path):
            self._file.close()
