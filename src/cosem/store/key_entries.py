"""How entries of a key store are named, completed and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from cosem.errors import ConfigurationError, ConversionError
from cosem.security.key_material import ReadFile, Secret
from cosem.security.keys import (
    ALIASES,
    OF_THE_SUITE,
    Decide,
    Keys,
    KeyStore,
    UpdatedKeyStore,
    fits_suite,
    value_of,
)
from cosem.security.system_title import SystemTitle

__all__ = [
    "DEFAULT",
    "complete",
    "entry_name",
    "keys_of",
    "texts_of",
    "update_entry",
    "updated_texts",
    "wanted_names",
    "with_title",
]

DEFAULT: Final = "default"
"""The entry that completes every other one."""


def entry_name(name: str | bytes) -> str:
    """Return the name under which an entry stands: a system title in its one printed form, else the text itself.

    >>> entry_name("4D4D4D0000BC614E"), entry_name("tcp://10.0.0.7:4059"), entry_name("meter-01")
    ('MMM0000BC614E', 'tcp://10.0.0.7:4059', 'meter-01')
    """
    if isinstance(name, bytes):
        return str(SystemTitle(name))
    name = name.strip()
    if len(name) == 8:  # a name of eight characters is a name; titles have other forms besides
        return name
    try:
        return str(SystemTitle(name))
    except ConversionError:
        return name


def wanted_names(server_title: bytes | None, name: str | None) -> tuple[str, ...]:
    """Return the names of the entries that tell of a meter, the most telling first."""
    title = [] if server_title is None else [entry_name(server_title)]
    given = [] if name is None else [entry_name(name)]
    return tuple(dict.fromkeys([*title, *given, DEFAULT]))


def complete(
    entry: Callable[[str], Mapping[str, Any] | None],
    server_title: bytes | None,
    name: str | None,
    read_file: ReadFile | None = None,
) -> dict[str, Any] | None:
    """Return the texts of a meter: those of its title, completed by its name, then by the default.

    What has the length of another suite completes nothing.

    Args:
        entry: Returns the texts of an entry by name; ``None`` if there is none.
        server_title: System title of the meter.
        name: Its name or URL.
        read_file: Reads the file of ``@name``.
    """
    found: dict[str, Any] | None = None
    for each in wanted_names(server_title, name):
        texts = entry(each)
        if texts is None:
            continue
        texts = {ALIASES.get(field, field): value for field, value in texts.items()}
        if found is None:
            found = texts
            continue
        other_suite = "suite" in found and str(found["suite"]) != str(texts.get("suite", 0))
        for field, value in texts.items():
            if not (other_suite and field in OF_THE_SUITE) or _fits(field, value, found["suite"], read_file):
                found.setdefault(field, value)
    return found


def keys_of(
    entry: Callable[[str], Mapping[str, Any] | None],
    server_title: bytes | None,
    name: str | None,
    read_file: ReadFile | None = None,
) -> Keys | None:
    """Return the keys of a meter; ``None`` if no entry tells of it.

    Raises:
        ConfigurationError: A text cannot be read, or the keys are those of another meter.
    """
    texts = complete(entry, server_title, name, read_file)
    return None if texts is None else with_title(Keys.parse(texts, read_file), server_title)


def with_title(keys: Keys | None, server_title: bytes | None) -> Keys | None:
    """Return keys with the title of the meter that was asked for.

    Raises:
        ConfigurationError: They belong to a meter with another title.
    """
    if keys is None or server_title is None:
        return keys
    if keys.server_title is not None and keys.server_title != server_title:
        raise ConfigurationError(
            f"the keys found are those of {keys.server_title}, not of {SystemTitle(server_title)}"
        )
    return keys.over(Keys(suite=keys.suite, server_title=SystemTitle(server_title)))


def update_entry(store: KeyStore, name: str, decide: Decide) -> None:
    """Set fields of an entry, or forget it, while nobody else writes where the store can see to that.

    Raises:
        ConfigurationError: As ``put``.
    """
    if isinstance(store, UpdatedKeyStore):
        store.update(name, decide)
        return
    changes = decide()
    if changes is None:
        store.remove(name)
        return
    store.put(name, replace(store.find(name=name) or Keys(changes["suite"]), **changes))


def texts_of(keys: Keys) -> dict[str, str | int]:
    """Return keys as the texts that :meth:`Keys.parse` reads. They hold the secrets themselves.

    Raises:
        ConfigurationError: A key is held elsewhere and cannot be written down.
    """
    return {
        field.name: _text_of(field.name, value)
        for field in fields(keys)
        if (value := getattr(keys, field.name)) is not None
    }


def updated_texts(
    entry: Callable[[str], Mapping[str, Any] | None],
    name: str,
    changes: Mapping[str, Any],
    read_file: ReadFile | None = None,
    references: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Return the texts of an entry with other values of some fields.

    Args:
        entry: Returns the texts of an entry by name; ``None`` if there is none.
        name: Of the entry.
        changes: Values by field; the suite is written down where the entry would have another one without.
        read_file: Reads the file of ``@name``.
        references: Names of files that hold the same as a value does, by field.

    Raises:
        ConfigurationError: What comes of it cannot be read, or a key is held elsewhere.
    """
    fields_set = {field: value for field, value in changes.items() if field != "suite"}
    texts = {
        field: text
        for field, text in (entry(name) or {}).items()
        if ALIASES.get(field, field) not in fields_set
    }
    texts |= {field: _text_of(field, value) for field, value in fields_set.items()} | dict(references or {})

    def found(each: str) -> Mapping[str, Any] | None:
        return texts if each == name else entry(each)

    whole = complete(found, None, name, read_file) or {}
    if "suite" in changes and str(whole.get("suite", 0)) != str(changes["suite"]):
        texts = {"suite": changes["suite"]} | {
            field: text for field, text in texts.items() if field != "suite"
        }
    keys_of(found, None, name, read_file)
    return texts


def _fits(field: str, text: Any, suite: Any, read_file: ReadFile | None) -> bool:
    """Return whether a key has the length of a suite; one that cannot be read does, so that it is told."""
    try:
        return fits_suite(field, value_of(field, text, read_file), int(suite))
    except (ConfigurationError, ValueError):
        return True


def _text_of(field: str, value: Any) -> str | int:
    if isinstance(value, SystemTitle):
        return str(value)
    if isinstance(value, int):
        return value
    if isinstance(value, (Secret, bytes)):
        octets = value.octets if isinstance(value, Secret) else value
        return f"hex:{octets.hex().upper()}"
    raise ConfigurationError(f"{field} is held elsewhere: it cannot be written down")
