"""Files for secrets: readable for their owner alone, and written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging import getLogger
from pathlib import Path
from secrets import token_hex
from typing import Final

from cosem.errors import ConfigurationError

__all__ = ["check_private", "create_private", "locked", "read_secret_file", "write_private"]

_PRIVATE: Final = 0o600
_OF_OTHERS: Final = 0o077
_LARGEST: Final = 1024 * 1024
_log = getLogger(__name__)
_warned: set[str] = set()


def create_private(path: Path) -> None:
    """Make an empty file that its owner alone may read, and its directory, if there is none.

    Raises:
        OSError: It cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read: whole, or not at all, whatever happens.

    Raises:
        ConfigurationError: It cannot be written; what was there is there.
    """
    path = path.resolve()  # a symbolic link stays one
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None


def _sync_directory(path: Path) -> None:
    """Make a new name in a directory survive a loss of power, where the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_private(path: Path, *, strict: bool = False) -> None:
    """Warn, once for each file, that others than its owner may read it.

    Args:
        path: The file.
        strict: Refuse it.

    Raises:
        ConfigurationError: Others may read it, and that is refused.
    """
    if os.name != "posix":
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & _OF_OTHERS:
        return
    text = f"{path} holds secrets or counters and others may read it or write to it (mode {mode:04o}): chmod 600 {path}"
    if strict:
        raise ConfigurationError(text)
    if str(path) not in _warned:
        _warned.add(str(path))
        _log.warning("%s", text)


def read_secret_file(name: str | Path, *, strict: bool = False) -> bytes:
    """Return the content of a file that holds a secret; the ``read_file`` of the key types.

    Args:
        name: The file; ``~`` is the home directory.
        strict: Refuse a file that others may read, in place of warning.

    Raises:
        ConfigurationError: It cannot be read, is larger than 1 MiB, or others may read it.
    """
    path = Path(name).expanduser()
    try:
        check_private(path, strict=strict)
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{path} is larger than 1 MiB")
    return content


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change a file; where the system has no such locks, whoever is last wins."""
    try:
        from fcntl import LOCK_EX, flock
    except ImportError:
        yield
        return
    path = path.resolve()  # where write_private writes; two names of one file have one lock
    lock = path.with_name(f".{path.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = lock.open("ab")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
    with file:
        flock(file, LOCK_EX)
        yield
