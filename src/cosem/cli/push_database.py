"""Pushes into a database of SQLite; what comes while another program has it locked is written later."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cosem.cli.push_records import identity, record
from cosem.cli.push_sinks import cell, one_line
from cosem.types.text import counted

if TYPE_CHECKING:
    from cosem.push import PushMessage

__all__ = ["Database"]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, identity BLOB UNIQUE, received TEXT, timestamp TEXT, source TEXT NOT NULL, maker TEXT,
    system_title TEXT, verification TEXT, findings TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS readings (
    message INTEGER NOT NULL REFERENCES messages(id), obis TEXT, name TEXT, class_id INTEGER, attribute INTEGER,
    value TEXT, number REAL, unit TEXT, raw TEXT
);
CREATE INDEX IF NOT EXISTS readings_by_obis ON readings(obis, message);
"""
_MOST_HELD: Final = 32 * 1024 * 1024
"""Signs of messages that wait for a database that is locked."""
_OF_EACH: Final = 500
"""Signs that a row counts for, besides its text."""
_PATIENCE: Final = 5000
"""Milliseconds that a locked database is waited for at the beginning and at the end."""
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class _Message(NamedTuple):
    outside: tuple[Any, ...]
    rows: list[tuple[Any, ...]]

    @property
    def size(self) -> int:
        texts = (each for row in (self.outside, *self.rows) for each in row if isinstance(each, str))
        return sum(map(len, texts)) + _OF_EACH * (1 + len(self.rows))


class Database:
    """A database of SQLite: a row for each message and for each value; ``value`` is exact, ``number`` is for sums.

    Args:
        path: The file.
        say: Told when another program has it locked.

    Raises:
        OSError: It cannot be opened, or is no database.
    """

    def __init__(self, path: str, say: Callable[[str], None]) -> None:
        try:
            self._connection = sqlite3.connect(path, timeout=_PATIENCE / 1000)
            self._connection.executescript(_SCHEMA)
            self._wait(0)  # a message must not keep others from being read
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from None
        self._path = path
        self._say = say
        self._held: deque[_Message] = deque()
        self._size = 0
        self._lost = 0
        self._complained = False

    def _wait(self, milliseconds: int) -> None:
        """Set how long a lock is waited for."""
        self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def take(self, message: PushMessage, source: str, received: str | None) -> None:
        """Add a message, unless it is there already; where the database is locked, later.

        Raises:
            OSError: The database cannot be written.
        """
        said = record(message, source, received)
        outside = (
            *(
                identity(message, source),
                received,
                cell(said["timestamp"]) or None,
                source,
                said.get("maker"),
            ),
            *(cell(said.get("system_title")) or None, said["verification"], one_line(said["findings"])),
        )
        new = _Message(outside, [_row(value) for value in said["values"]])
        self.retry()
        if not self._held and self._write(new):
            return
        if self._size + new.size > _MOST_HELD:
            self._lost += 1
            if self._lost == 1:
                self._say(f"{self._path} is locked for too long: further messages are not written to it")
            return
        self._held.append(new)
        self._size += new.size
        if not self._complained:
            self._complained = True
            self._say(f"{self._path} is locked by another program; messages wait for it")

    def retry(self) -> None:
        """Write what waits, as far as the database is not locked.

        Raises:
            OSError: The database cannot be written.
        """
        while self._held and self._write(self._held[0]):
            self._size -= self._held.popleft().size
            self._complained = bool(self._held)

    def _write(self, message: _Message) -> bool:
        """Write a message; return whether the database was free."""
        try:
            with self._connection as connection:
                added = connection.execute(
                    "INSERT OR IGNORE INTO messages (identity, received, timestamp, source, maker, system_title,"
                    " verification, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    message.outside,
                )
                if added.rowcount:
                    connection.executemany(
                        "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        [(added.lastrowid, *row) for row in message.rows],
                    )
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED:
                return False
            raise OSError(f"{self._path}: {error}") from None
        return True

    def close(self) -> None:
        """Write what waits, and close the database.

        Raises:
            OSError: Not all messages could be written.
        """
        try:
            if self._held:
                self._wait(_PATIENCE)
                self.retry()
        finally:
            self._connection.close()
        if lost := self._lost + len(self._held):
            raise OSError(f"{self._path} is locked: {counted(lost, 'message')} not written")


def _row(value: dict[str, Any]) -> tuple[Any, ...]:
    given = value["value"]
    number = (
        float(given) if isinstance(given, (int, float, Decimal)) and not isinstance(given, bool) else None
    )
    return (
        *(value["obis"], value["name"], value["class_id"], value["attribute"]),
        *(cell(given), number, value["unit"], cell(value["raw"])),
    )
