"""Keys in a TOML file that its owner alone may read.

::

    # Example keys: known to everybody, good for nothing but trying.
    [default]                                  # completes every entry below
    client_title = "MMM0000000001"

    [meter."MMM0000BC614E"]                    # by system title, in any form of a title
    suite = 0
    encryption = "000102030405060708090A0B0C0D0E0F"       # or guek
    authentication = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"   # or gak
    broadcast = "hex:0F0E0D0C0B0A09080706050403020100"    # or gbek
    master = "@master.key"                                # or kek; a file beside this one
    signing = "base64:QYBzwjn6YSUBHeTWzS5kV4Anj3Yfuxv7CDXLVYXos3M="
    peer_signing = "@meter-public.hex"

    [meter."tcp://10.0.0.7:4059"]              # by URL, or by a name of your own
    password = "12345678"                      # text, as it is typed
    hls_secret = "hex:00112233445566778899AABBCCDDEEFF"

The fields are those of :class:`~cosem.security.keys.Keys`; how a text is read stands in
:mod:`cosem.security.key_material`. What is written replaces one entry and leaves the
rest of the file as it is, comments included; the file is replaced whole or not at all.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cosem.errors import ConfigurationError
from cosem.security.keys import ALIASES, Decide, Keys
from cosem.store.files import check_private, locked, read_secret_file, write_private
from cosem.store.key_entries import DEFAULT, entry_name, keys_of, texts_of, updated_texts

__all__ = ["KeyFile"]

_HEADER: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)
_METER: Final = "meter"
_WAITING: Final = " (new)"
"""What the entries of keys that wait for their proof end with."""


class KeyFile:
    """A key store in a TOML file, in the form that the module describes.

    Args:
        path: The file; it need not be there.
        strict: Refuse a file that others than its owner may read, in place of warning.
    """

    def __init__(self, path: str | Path, *, strict: bool = False) -> None:
        self._path = Path(path).expanduser().absolute()
        self._strict = strict
        self._seen: tuple[int, int, int] | None = None
        self._entries: dict[str, dict[str, Any]] = {}

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def find(self, *, server_title: bytes | None = None, name: str | None = None) -> Keys | None:
        """Return what is known of a meter; the file is read again if it has changed.

        Raises:
            ConfigurationError: The file or an entry cannot be read, or others may read it and that is refused.
        """
        entries = self._read()
        try:
            return keys_of(entries.get, server_title, name, self._read_beside)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self._path}: {error}") from None

    def put(self, name: str, keys: Keys) -> None:
        """Keep keys under a name, in place of what was there.

        A key that an entry, or the default, named by its file stays there while it is the same.

        Raises:
            ConfigurationError: The file cannot be read or written, or a key is held elsewhere.
        """
        name = entry_name(name)
        texts = texts_of(keys)
        self._replace(name, lambda entries: texts | self._references(entries, name, keys))

    def update(self, name: str, decide: Decide) -> None:
        """Set fields of an entry and leave its others, and what the default completes, as they are; or forget it.

        Raises:
            ConfigurationError: The file cannot be read or written, or a key is held elsewhere.
        """
        name = entry_name(name)

        def changed(entries: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
            changes = decide()
            if changes is None:
                return None
            references = self._references(entries, name, Keys(**changes))
            return updated_texts(entries.get, name, changes, self._read_beside, references)

        self._replace(name, changed)

    def remove(self, name: str) -> None:
        """Forget an entry, if there is one.

        Raises:
            ConfigurationError: The file cannot be read or written.
        """
        self._replace(entry_name(name), lambda _: None)

    def names(self) -> Iterable[str]:
        """Return the names of the entries."""
        return tuple(self._read())

    def __repr__(self) -> str:
        return f"KeyFile({str(self._path)!r})"

    # --- reading -----------------------------------------------------------------------------------

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            self._seen, self._entries = None, {}
            return self._entries
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be read: {error.strerror}") from None
        if stat.S_ISDIR(there.st_mode):
            raise self._no_file()
        seen = there.st_mtime_ns, there.st_size, there.st_ino
        if seen != self._seen:
            self._entries = self._parsed(self._text())
            self._seen = seen
        return self._entries

    def _text(self) -> str:
        if not self._path.exists():
            return ""
        if self._path.is_dir():
            raise self._no_file()
        try:
            check_private(self._path, strict=self._strict)
            return self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ConfigurationError(f"{self._path} is no TOML: it is not UTF-8") from None
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be read: {error.strerror}") from None

    def _no_file(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self._path} is a directory: a key file is one file, for example keys.toml in it"
        )

    def _parsed(self, text: str) -> dict[str, dict[str, Any]]:
        """Return the entries by name."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            # Its text may hold characters of the file; where it is wrong it always says.
            where = re.search(r"\(at [^)]*\)", str(error))
            raise ConfigurationError(
                f"{self._path} is no TOML {where[0] if where else ''}".rstrip()
            ) from None
        except RecursionError:
            raise ConfigurationError(f"{self._path} is nested too deep to be read") from None
        unknown = content.keys() - {DEFAULT, _METER}
        if unknown:
            raise ConfigurationError(
                f"{self._path}: {', '.join(sorted(unknown))} is unknown; [default] and [meter.NAME] are known"
            )
        meters = content.get(_METER, {})
        tables = [(DEFAULT, content[DEFAULT])] if DEFAULT in content else []
        if isinstance(meters, dict):
            tables += [(entry_name(name), table) for name, table in meters.items()]
        entries = dict(tables)
        if not isinstance(meters, dict) or not all(isinstance(table, dict) for _, table in tables):
            raise ConfigurationError(f"{self._path}: an entry is a table: [default] or [meter.NAME]")
        if len(entries) < len(tables):
            names = [name for name, _ in tables]
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigurationError(f"{self._path}: {twice} stands there twice")
        return entries

    def _read_beside(self, name: str) -> bytes:
        """Return the content of a file that an entry names, relative to this file."""
        return read_secret_file(self._path.parent / Path(name).expanduser(), strict=self._strict)

    # --- writing -----------------------------------------------------------------------------------

    def _references(self, entries: dict[str, dict[str, Any]], name: str, keys: Keys) -> dict[str, str | int]:
        """Return the names of files that hold the same as the keys do, by field."""
        found = dict[str, str | int]()
        for each in (name, name.removesuffix(_WAITING), DEFAULT):
            for given, text in entries.get(each, {}).items():
                field = ALIASES.get(given, given)
                if field in found or not (isinstance(text, str) and text.startswith("@")):
                    continue
                with suppress(ConfigurationError):
                    there = Keys.parse({"suite": keys.suite, field: text}, self._read_beside)
                    if getattr(there, field) == getattr(keys, field):
                        found[field] = text
        return found

    def _replace(
        self, name: str, change: Callable[[dict[str, dict[str, Any]]], dict[str, Any] | None]
    ) -> None:
        with locked(self._path):
            text = self._text()
            entries = self._parsed(text)
            self._seen = (
                None  # what ``change`` finds is what is there now, whatever the clock of the disk says
            )
            texts = change(entries)
            if texts is None and name not in entries:
                return
            wanted = {each: table for each, table in entries.items() if each != name}
            if texts is not None:
                wanted[name] = texts
            replaced = self._with_section(text, name, "" if texts is None else _section(name, texts))
            if self._parsed_or_none(replaced) != wanted:
                # An entry is written in a way that cannot be cut out: inline, or spread over several tables.
                replaced = "\n".join(_section(each, table) for each, table in wanted.items())
            write_private(self._path, replaced.encode())
            self._seen = None

    def _parsed_or_none(self, text: str) -> dict[str, dict[str, Any]] | None:
        try:
            return self._parsed(text)
        except ConfigurationError:
            return None

    def _with_section(self, text: str, name: str, section: str) -> str:
        """Return the text of the file with the table of one entry replaced, or added at the end."""
        cuts = [0, *(found.start() for found in _HEADER.finditer(text)), len(text)]
        pieces = [text[start:end] for start, end in pairwise(cuts)]
        done = False
        for index, piece in enumerate(pieces[1:], 1):
            if name in (self._parsed_or_none(piece) or {}):
                pieces[index] = (
                    "" if done else section + ("\n" if section and index < len(pieces) - 1 else "")
                )
                done = True
        if not done and section:
            if pieces[-1] and not pieces[-1].endswith("\n"):
                pieces[-1] += "\n"
            pieces.append(("\n" if any(pieces) else "") + section)
        return "".join(pieces)


def _section(name: str, texts: dict[str, Any]) -> str:
    """Return the table of an entry; a JSON string is a basic string of TOML."""
    header = f"[{DEFAULT}]" if name == DEFAULT else f"[{_METER}.{_quoted(name)}]"
    lines = [
        f"{field} = {value if isinstance(value, int) else _quoted(value)}" for field, value in texts.items()
    ]
    return "\n".join([header, *lines, ""])


def _quoted(text: Any) -> str:
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
