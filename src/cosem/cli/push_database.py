"""Pushes into a database of SQLite; what comes while another program has it locked is written later."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cosem.cli.push_keeping import Waiting
from cosem.cli.push_records import identity, is_unread, record
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
CREATE INDEX IF NOT EXISTS readings_by_message ON readings(message);
"""
_FORGET_EMPTY: Final = """
DELETE FROM messages WHERE identity = ? AND NOT EXISTS (SELECT 1 FROM readings WHERE message = messages.id)
"""
"""A message gives way to itself, once values were found in it."""
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
    waiting: Waiting

    @property
    def size(self) -> int:
        texts = (each for row in (self.outside, *self.rows) for each in row if isinstance(each, str))
        return sum(map(len, texts)) + _OF_EACH * (1 + len(self.rows))


class Database:
    """A database of SQLite: a row for each message and for each value; ``value`` is exact, ``number`` is for sums.

    Args:
        path: The file.
        say: Told when another program has it locked.
        repetitions: Whether a message that is there already is added once more.

    Raises:
        OSError: It cannot be opened, or is no database.
    """

    def __init__(self, path: str, say: Callable[[str], None], *, repetitions: bool = False) -> None:
        try:
            self._connection = sqlite3.connect(path, timeout=_PATIENCE / 1000)
            self._connection.executescript(_SCHEMA)
            self._wait(0)  # a message must not keep others from being read
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from None
        self._path = path
        self._say = say
        self._repetitions = repetitions
        self._held: deque[_Message] = deque()
        self._size = 0
        self._lost = 0
        self._complained = False

    def _wait(self, milliseconds: int) -> None:
        """Set how long a lock is waited for."""
        self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def take(self, message: PushMessage, source: str, received: str | None) -> Waiting | None:
        """Add a message, unless it is there already; where the database is locked, later.

        One without a value that could not be read is not added: it would stand in the way of the same message when
        it is read, with its key.

        Returns:
            What tells when it is written; ``None`` if it is.

        Raises:
            OSError: The database cannot be written.
        """
        if is_unread(message) and not message.values:
            return None
        said = record(message, source, received)
        outside = (
            *(
                None if self._repetitions else identity(message, source),
                received,
                cell(said["timestamp"]) or None,
                source,
                said.get("maker"),
            ),
            *(cell(said.get("system_title")) or None, said["verification"], one_line(said["findings"])),
        )
        new = _Message(outside, [_row(value) for value in said["values"]], Waiting())
        self.retry()
        if not self._held and self._write(new):
            return None
        if self._size + new.size > _MOST_HELD:
            self._lost += 1
            if self._lost == 1:
                self._say(f"{self._path} is locked for too long: further messages are not written to it")
            new.waiting.over(kept=False)
            return new.waiting
        self._held.append(new)
        self._size += new.size
        if not self._complained:
            self._complained = True
            self._say(f"{self._path} is locked by another program; messages wait for it")
        return new.waiting

    def retry(self) -> None:
        """Write what waits, as far as the database is not locked.

        Raises:
            OSError: The database cannot be written.
        """
        while self._held and self._write(self._held[0]):
            written = self._held.popleft()
            self._size -= written.size
            self._complained = bool(self._held)
            written.waiting.over(kept=True)

    def _write(self, message: _Message) -> bool:
        """Write a message; return whether the database was free."""
        try:
            with self._connection as connection:
                if message.rows:
                    connection.execute(_FORGET_EMPTY, message.outside[:1])
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
