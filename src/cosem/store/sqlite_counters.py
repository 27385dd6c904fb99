"""Invocation counters in SQLite: for several threads and processes, and for a kill at any moment.

Sending: values are reserved before any of them is used, in a transaction that is on
the disk when it returns. A crash loses what was reserved and not used; nothing repeats.
Receiving: the lowest acceptable counter goes up and never down, in one statement.

The file holds no key: counters are found by a fingerprint, salted by random octets of
the file. Deleting it, or putting an old copy back, takes the memory away, and with it
what protects the keys: change the keys, or raise the counters above what the meters
have seen. The file belongs on a local disk: SQLite shares no file over a network.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from threading import Lock
from time import sleep
from typing import Final, Self, TypeVar

from cosem.errors import SecurityError
from cosem.security.counters import CounterName, reservation
from cosem.store.files import check_private, create_private
from cosem.store.reserved_counter import ReservedCounter

__all__ = ["SqliteCounterStore"]

T = TypeVar("T")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS about (salt BLOB NOT NULL, one INTEGER PRIMARY KEY CHECK (one = 1));
CREATE TABLE IF NOT EXISTS sent (
    key BLOB NOT NULL, title BLOB NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (key, title)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS received (
    key BLOB NOT NULL, title BLOB NOT NULL, lowest INTEGER NOT NULL, PRIMARY KEY (key, title)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS sent_never_goes_back BEFORE UPDATE ON sent WHEN NEW.next < OLD.next
    BEGIN SELECT RAISE(ABORT, 'an invocation counter must not go back'); END;
CREATE TRIGGER IF NOT EXISTS received_never_goes_back BEFORE UPDATE ON received WHEN NEW.lowest < OLD.lowest
    BEGIN SELECT RAISE(ABORT, 'an invocation counter must not go back'); END;
"""
_NEXT: Final = "SELECT next FROM sent WHERE key = ? AND title = ?"
_TAKE: Final = (
    "INSERT INTO sent (key, title, next) VALUES (?, ?, ?)"
    " ON CONFLICT (key, title) DO UPDATE SET next = excluded.next"
)
_LOWEST: Final = "SELECT lowest FROM received WHERE key = ? AND title = ?"
_ACCEPT: Final = (
    "INSERT INTO received (key, title, lowest) VALUES (?, ?, ?)"
    " ON CONFLICT (key, title) DO UPDATE SET lowest = excluded.lowest WHERE excluded.lowest > lowest"
)
_SALT_SIZE: Final = 16
_FIRST_TRIES: Final = 200
_PAUSE: Final = 0.01

_left_to_the_parent: list[sqlite3.Connection] = []
"""Connections of before a fork: SQLite forbids the child to use or close them."""


class _Forks:
    """How often this process is a fork of one: cheaper to ask than its number, which is a call of the system.

    It serves for what is received. For what is sent, where a value that is given twice reveals what was said, and for
    the connection to the file, the process is asked for its number.
    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0
        if hasattr(os, "register_at_fork"):  # where there are forks
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.count += 1


_forks: Final = _Forks()


class _Received:
    """What this process knows of a counter of receiving.

    Attributes:
        lowest: The lowest value that is still accepted.
        at_rest: The same as the file has it at least; ``None`` where this process has not compared itself with it.
    """

    __slots__ = ("at_rest", "lowest")

    def __init__(self) -> None:
        self.lowest = 0
        self.at_rest: int | None = None

    @property
    def is_late(self) -> bool:
        """Whether the file may lag behind."""
        return self.lowest > (self.at_rest or 0)

    def put_to_rest(self, lowest: int) -> None:
        """Take note of what the file has."""
        self.at_rest = max(lowest, self.at_rest or 0)
        self.lowest = max(lowest, self.lowest)


class SqliteCounterStore:
    """Counters in a file; made where there is none, readable for its owner alone.

    Args:
        path: The file.
        step: How many values a counter reserves at most: this many are lost when a process ends, and never more than it
            has used, beyond the first 16.
        lag: How many messages a counter of receiving may be ahead of the file, where its user allows it.
        patience: Seconds to wait for other processes.

    Raises:
        SecurityError: The file cannot be used.
    """

    def __init__(
        self, path: str | Path, *, step: int = 8192, lag: int = 1024, patience: float = 30.0
    ) -> None:
        # A relative path would mean another file, and the same counters again, after a change of the directory.
        self._path = Path(path).expanduser().absolute()
        self._step = step
        self._lag = lag
        self._patience = patience
        self._lock = Lock()
        self._counters: dict[CounterName, ReservedCounter] = {}
        self._received: dict[CounterName, _Received] = {}
        self._process = 0
        self._forks = 0
        self._connection: sqlite3.Connection | None = None
        self._salt = self._with_connection(_read_salt)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def salt(self) -> bytes:
        """Random octets of this file."""
        return self._salt

    def counter(self, name: CounterName) -> ReservedCounter:
        """Return the counter of a key and a sender; everybody in this process gets the same."""
        self._leave_what_belongs_to_the_parent()
        with self._lock:
            counter = self._counters.get(name)
            if counter is None:
                counter = self._counters[name] = ReservedCounter(self, name, step=self._step)
            return counter

    def reserve(self, name: CounterName, count: int, least: int = 0) -> range:
        """Take values for sending; they are on the disk when this returns.

        Raises:
            CounterExhausted: None is left.
            SecurityError: The file cannot be used.
        """

        def take(connection: sqlite3.Connection) -> range:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                row = connection.execute(_NEXT, (name.key, name.title)).fetchone()
                first, end = reservation(row[0] if row else 0, count, least)
                connection.execute(_TAKE, (name.key, name.title, end))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                connection.execute("PRAGMA synchronous = NORMAL")
            return range(first, end)

        return self._with_connection(take)

    def peek(self, name: CounterName) -> int:
        """Return the value from which the next reservation begins."""
        return self._number(_NEXT, name)

    def lowest_acceptable(self, name: CounterName) -> int:
        """Return the lowest counter that is still accepted from a sender, as far as this process knows."""
        if self._forks != _forks.count:
            self._leave_what_belongs_to_the_parent()
        known = self._received.get(name)
        if known is None:
            return self._number(_LOWEST, name)
        return known.lowest if known.at_rest is not None else max(known.lowest, self._number(_LOWEST, name))

    def accept(self, name: CounterName, counter: int, *, durable: bool = True) -> bool:
        """Note a counter whose message was verified.

        With ``durable`` it is compared with what every process has seen, and survives the death of this one;
        without, the file may lag behind.
        """
        lowest = counter + 1
        if self._forks != _forks.count:
            self._leave_what_belongs_to_the_parent()
        with self._lock:
            known = self._received.get(name)
            if known is None:
                known = self._received[name] = _Received()
            if lowest <= known.lowest:
                return False
            if not durable and known.at_rest is not None and lowest < known.at_rest + self._lag:
                known.lowest = lowest
                return True
        taken = self._write(name, lowest)
        with self._lock:
            known.put_to_rest(lowest if taken else self._number(_LOWEST, name, locked=True))
        return taken

    def flush(self) -> None:
        """Write what the file lags behind."""
        self._leave_what_belongs_to_the_parent()
        with self._lock:
            late = [(name, known, known.lowest) for name, known in self._received.items() if known.is_late]
        for name, known, lowest in late:
            self._write(name, lowest)
            with self._lock:
                known.put_to_rest(lowest)

    def close(self) -> None:
        """Write what the file lags behind and close it; the next use opens it again."""
        if self._process != os.getpid():
            return
        self.flush()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SqliteCounterStore({str(self._path)!r})"

    def _write(self, name: CounterName, lowest: int) -> bool:
        """Return whether the file held less."""
        return self._with_connection(
            lambda connection: bool(connection.execute(_ACCEPT, (name.key, name.title, lowest)).rowcount == 1)
        )

    def _number(self, statement: str, name: CounterName, *, locked: bool = False) -> int:
        def read(connection: sqlite3.Connection) -> int:
            row = connection.execute(statement, (name.key, name.title)).fetchone()
            return int(row[0]) if row else 0

        return self._with_connection(read, locked=locked)

    def _with_connection(self, work: Callable[[sqlite3.Connection], T], *, locked: bool = False) -> T:
        """Return what ``work`` makes of the connection of this process; one thread at a time."""
        self._leave_what_belongs_to_the_parent()
        with _unlocked() if locked else self._lock:
            try:
                if self._connection is None:
                    self._connection = _open(self._path, self._patience)
                return work(self._connection)
            except sqlite3.Error as error:
                raise SecurityError(
                    f"the invocation counters in {self._path} cannot be used: {error}"
                ) from error
            except OSError as error:
                raise SecurityError(
                    f"the invocation counters in {self._path} cannot be used: {error}"
                ) from error

    def _leave_what_belongs_to_the_parent(self) -> None:
        process = os.getpid()
        self._forks = _forks.count
        if process == self._process:
            return
        if self._connection is not None:
            _left_to_the_parent.append(self._connection)
        self._lock = Lock()
        self._connection = None
        # What the parent took stays taken; but the next of each sender is compared with the file, which others write.
        for known in self._received.values():
            known.at_rest = None
        self._process = process


@contextmanager
def _unlocked() -> Iterator[None]:
    yield


def _open(path: Path, patience: float) -> sqlite3.Connection:
    """Return a connection to a file that has its tables."""
    create_private(path)
    check_private(path)
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        for tries in range(_FIRST_TRIES):
            try:
                # SQLite does not wait for others here, whatever the timeout.
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if tries == _FIRST_TRIES - 1:
                    raise
                sleep(_PAUSE)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(_SCHEMA):
            connection.execute(statement)
        connection.execute(
            "INSERT OR IGNORE INTO about (salt, one) VALUES (?, 1)", (token_bytes(_SALT_SIZE),)
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _statements(script: str) -> Iterator[str]:
    """Return the statements of a script one by one: executing it whole would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _read_salt(connection: sqlite3.Connection) -> bytes:
    return bytes(connection.execute("SELECT salt FROM about").fetchone()[0])
