"""The keys of a change at rest: the new ones wait beside the old ones until they are proven.

Whoever writes does so while nobody else does, where the store can see to that, and writes what it has changed: what
somebody else has put into the entry meanwhile stays there, and what the default completes is not copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from itertools import count
from typing import Any, Final

from cosem.errors import ConfigurationError, KeyChangeUnfinished
from cosem.security.keys import Keys, KeyStore
from cosem.store.key_entries import entry_name, update_entry

__all__ = [
    "KEY_IDS",
    "PROVEN_BY_OPENING",
    "apart_entries",
    "apart_keys",
    "given_up",
    "has_entry",
    "kept_apart",
    "kept_as",
    "pending_entry",
    "put_aside",
    "refuse_what_cannot_begin",
    "settled",
    "settled_apart",
    "taken_up",
    "waits",
]

KEY_IDS: Final[Mapping[str, int]] = {"encryption": 0, "broadcast": 1, "authentication": 2, "master": 3}
"""The keys that a meter takes, by field of :class:`~cosem.security.keys.Keys`, with their key_id."""

PROVEN_BY_OPENING: Final = ("encryption", "authentication")
"""The keys that whatever is read proves."""

_APART: Final = " (agreed on)"
_TYPED: Final = ("password", "hls_secret")
"""What may come from a keyboard: it is not written into an entry that does without."""


class _LeftAloneError(Exception):
    """What waits is that of somebody else."""


def pending_entry(name: str) -> str:
    """Return the entry of a key store under which keys wait until they are proven.

    >>> pending_entry("4D4D4D0000BC614E")
    'MMM0000BC614E (new)'
    """
    return f"{entry_name(name)} (new)"


def settled(store: KeyStore, name: str, keys: Keys, changed: Iterable[str] | None = None) -> Keys:
    """Put keys that were proven in place of those before, and forget that they were waiting.

    Args:
        store: Where keys are at rest.
        name: The entry of the meter; what else somebody has written into it meanwhile stays there.
        keys: All keys as they are now.
        changed: The fields that were changed; by default those in which what waits differs from the entry.

    Raises:
        KeyChangeUnfinished: They wait no longer: somebody else went on, and what is in the store is newer.
    """
    entry = pending_entry(name)

    def proven() -> dict[str, Any]:
        waiting = store.find(name=entry) if entry in store.names() else None
        kept = store.find(name=name)
        if waiting is None or not _ours(waiting, keys, kept):
            if waiting is None and kept is not None and _same(kept, keys):
                return {"suite": keys.suite}  # somebody else has settled the same
            raise KeyChangeUnfinished(
                "somebody else has changed the keys since; the store is left alone",
                "" if waiting is None else entry,
            )
        kept = kept or Keys(keys.suite)
        there = has_entry(store, name)
        wanted = {"suite", *(KEY_IDS if changed is None else changed)}
        return {
            each: value
            for each, value in _known(keys).items()
            if each in wanted
            or (getattr(kept, each) is None and each not in _TYPED if there else getattr(kept, each) != value)
        }

    update_entry(store, name, proven)
    given_up(store, name, keys)
    return keys


def given_up(store: KeyStore, name: str, keys: Keys) -> None:
    """Forget keys that wait, unless others wait in their place by now: theirs may exist nowhere else.

    Args:
        store: Where keys are at rest.
        name: The entry of the meter.
        keys: All keys, the new ones among them, as they were put aside.
    """
    entry = pending_entry(name)

    def forgotten() -> None:
        waiting = store.find(name=entry) if entry in store.names() else None
        if waiting is not None and not _ours(waiting, keys, store.find(name=name)):
            raise _LeftAloneError

    with suppress(_LeftAloneError):
        update_entry(store, entry, forgotten)


def kept_as(store: KeyStore, name: str) -> str:
    """Return the entry where keys wait, for an error to name; empty if there is none."""
    entry = pending_entry(name)
    return entry if entry in store.names() else ""


def put_aside(store: KeyStore, name: str, keys: Keys, new: Keys) -> str:
    """Put new keys beside those of now, and return the entry where they wait.

    Raises:
        ConfigurationError: Another change was not finished, or the store has other keys than the association.
    """
    entry = pending_entry(name)

    def waiting() -> dict[str, Any]:
        refuse_what_cannot_begin(store, name, keys)
        return _known(new.over(store.find(name=name)))

    update_entry(store, entry, waiting)
    return entry


def refuse_what_cannot_begin(store: KeyStore, name: str, keys: Keys) -> None:
    """Refuse a change that would lose keys.

    A second one before the first is finished would take the place of the only copy of its keys; one that began with
    old keys would bring them back.

    Args:
        store: Where keys are at rest.
        name: The entry of the meter.
        keys: Those of the association.

    Raises:
        ConfigurationError: A change was not finished, or the store has other keys than the association.
    """
    if pending_entry(name) in store.names():
        raise ConfigurationError(f"{pending_entry(name)} was not finished: resume() does that")
    kept = store.find(name=name) if has_entry(store, name) else None
    if kept is None:
        return
    other = [
        each
        for each in KEY_IDS
        if None not in (getattr(kept, each), getattr(keys, each))
        and getattr(kept, each) != getattr(keys, each)
    ]
    if other:
        raise ConfigurationError(
            f"the store has another key {', '.join(other)} of {entry_name(name)} than this association, which was opened"
            " with older keys or with those of another meter: connect anew with the keys of the store"
        )


def _known(keys: Keys) -> dict[str, Any]:
    """Return the fields of keys that are known, and the suite."""
    return {each.name: value for each in fields(keys) if (value := getattr(keys, each.name)) is not None}


def has_entry(store: KeyStore, name: str) -> bool:
    """Return whether a store has an entry of its own of that name, and not the default alone."""
    return entry_name(name) in store.names()


def _same(some: Keys, others: Keys) -> bool:
    return all(
        getattr(some, each) == getattr(others, each) for each in KEY_IDS if getattr(others, each) is not None
    )


def _ours(waiting: Keys, keys: Keys, kept: Keys | None) -> bool:
    """Return whether what waits are these keys: what they lack is as in the entry, or somebody else changes that."""
    return _same(waiting, keys) and all(
        getattr(waiting, each) in (None, getattr(kept, each, None))
        for each in KEY_IDS
        if getattr(keys, each) is None
    )


def kept_apart(store: KeyStore, name: str, keys: Keys) -> str:
    """Put keys to rest that exist nowhere else while another change waits, and return their entry.

    Others that wait so stay there: the entry has a number then.
    """
    for number in count(1):
        entry = f"{entry_name(name)}{_APART}{f' {number}' if number > 1 else ''}"

        def apart(entry: str = entry) -> dict[str, Any]:
            if entry in store.names():
                raise _LeftAloneError
            return _known(keys)

        with suppress(_LeftAloneError):
            update_entry(store, entry, apart)
            return entry
    raise AssertionError  # there is always one more number


def apart_entries(store: KeyStore, name: str) -> list[str]:
    """Return the entries of keys that were agreed on and wait apart, the latest first."""
    begin = f"{entry_name(name)}{_APART}"
    numbers = {
        each: int(rest or 1)
        for each in store.names()
        if each.startswith(begin) and ((rest := each.removeprefix(begin).strip()).isdecimal() or not rest)
    }
    return sorted(numbers, key=lambda each: numbers[each], reverse=True)


def waits(store: KeyStore, name: str) -> bool:
    """Return whether keys wait that were sent or agreed on and never proven."""
    return pending_entry(name) in store.names() or bool(apart_entries(store, name))


def apart_keys(store: KeyStore, entry: str, keys: Keys) -> Keys | None:
    """Return keys with those that wait apart and that opening can prove; ``None`` if it proves nothing."""
    waiting = store.find(name=entry)
    if waiting is None or _proven_alike(waiting, keys):
        return None
    taken: dict[str, Any] = {
        each: getattr(waiting, each) or getattr(keys, each) for each in PROVEN_BY_OPENING
    }
    return replace(keys, **taken)


def settled_apart(store: KeyStore, name: str, entry: str, keys: Keys, before: Keys) -> bool:
    """Put keys that were agreed on, and opened the meter, in place of those before; return whether it was done.

    What opening does not prove goes on waiting, where it differs. Where somebody else went on, nothing is done.

    Args:
        store: Where keys are at rest.
        name: The entry of the meter.
        entry: Where they wait.
        keys: Those that opened the meter.
        before: The keys of the entry when they were tried.
    """

    def proven() -> dict[str, Any]:
        waiting = store.find(name=entry) if entry in store.names() else None
        if waiting is None or not _proven_alike(waiting, keys):
            raise _LeftAloneError
        kept = store.find(name=name)
        if kept is not None and not _proven_alike(kept, before):
            raise _LeftAloneError
        return {"suite": keys.suite} | {each: getattr(keys, each) for each in PROVEN_BY_OPENING}

    def forgotten() -> None:
        waiting, kept = store.find(name=entry), store.find(name=name)
        if waiting is None or kept is None or not _same(kept, waiting):
            raise _LeftAloneError

    try:
        update_entry(store, name, proven)
    except _LeftAloneError:
        return False
    with suppress(_LeftAloneError):
        update_entry(store, entry, forgotten)
    return True


def taken_up(store: KeyStore, name: str, entry: str) -> None:
    """Let keys that wait apart, and that opening does not prove, wait where a change that was begun is resumed.

    Raises:
        ConfigurationError: Another change was begun meanwhile.
    """

    def begun() -> dict[str, Any]:
        waiting = store.find(name=entry) if entry in store.names() else None
        if waiting is None or pending_entry(name) in store.names():
            raise ConfigurationError(f"{pending_entry(name)} was not finished: resume() does that")
        return _known(waiting)

    def forgotten() -> None:
        if entry in store.names() and store.find(name=entry) != store.find(name=pending_entry(name)):
            raise _LeftAloneError

    update_entry(store, pending_entry(name), begun)
    with suppress(_LeftAloneError):
        update_entry(store, entry, forgotten)


def _proven_alike(some: Keys, others: Keys) -> bool:
    return all(getattr(some, each) in (None, getattr(others, each)) for each in PROVEN_BY_OPENING)
