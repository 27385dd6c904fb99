"""Where invocation counters are kept if nobody says otherwise: one file of the user, shared by all programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Lock
from typing import Final

from cosem.errors import ConfigurationError
from cosem.store.sqlite_counters import SqliteCounterStore

__all__ = ["default_counter_path", "default_counter_store"]

_VARIABLE: Final = "COSEM_COUNTERS"
_NAME: Final = "counters.sqlite3"
_lock = Lock()
_open: dict[Path, SqliteCounterStore] = {}


def default_counter_path() -> Path:
    """Return the file: what the environment variable COSEM_COUNTERS names, else where the system keeps state.

    Raises:
        ConfigurationError: The variable names a relative path: from each directory it would be another file.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_absolute():
            raise ConfigurationError(f"{_VARIABLE} wants an absolute path, not {named}")
        return path
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or "")
        if not base.is_absolute():  # then it counts as not set, says the XDG Base Directory Specification
            base = Path.home() / ".local" / "state"
    return base / "cosem" / _NAME


def default_counter_store() -> SqliteCounterStore:
    """Return the store of :func:`default_counter_path`; everybody in this process gets the same.

    Raises:
        SecurityError: The file cannot be used.
        ConfigurationError: As there.
    """
    path = default_counter_path()
    with _lock:
        store = _open.get(path)
        if store is None:
            store = _open[path] = SqliteCounterStore(path)
        return store
