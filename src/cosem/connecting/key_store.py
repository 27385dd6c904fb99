"""Opening a meter with the keys that a key store has of it, also where a change of them was not finished.

While keys are changed both the old and the new ones are at rest (:mod:`cosem.client.operations.key_change`). What
opens the meter tells which of them it has.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from cosem.client.operations.keys_at_rest import (
    KEY_IDS,
    PROVEN_BY_OPENING,
    apart_entries,
    apart_keys,
    pending_entry,
    settled,
    settled_apart,
)
from cosem.client.security import HighGmac
from cosem.client.security_base import SecurityOfClient
from cosem.errors import ConfigurationError, CosemError, KeyChangeUnfinished
from cosem.security.keys import Keys, KeyStore

if TYPE_CHECKING:
    from cosem.client.aio import AsyncClient
    from cosem.client.blocking import Client
    from cosem.connecting.plan import ConnectOptions

__all__ = ["connect_from", "connect_from_async", "open_with", "open_with_async"]

C = TypeVar("C")
_log = logging.getLogger(__name__)


def connect_from(
    store: KeyStore,
    name: str,
    url: str,
    *,
    secured: Callable[[Keys], SecurityOfClient] = HighGmac,
    **options: Unpack[ConnectOptions],
) -> Client:
    """Return a client with an open association, with the keys that a store has of the meter.

    Keys that were sent and never proven are tried first; once they open the meter they take the place of the old ones.
    Keys that were agreed on and had to wait apart are tried where those in use do not open it.

    Args:
        store: The key store.
        name: The entry of the meter.
        url: Where it is; as for :func:`cosem.connecting.connect`.
        secured: Makes the security of keys; for example ``lambda keys: HighGmac(keys, counters=...)``.
        options: As for :func:`cosem.connecting.connect`.

    Raises:
        ConfigurationError: The store has no such entry.
        AssociationRefused: The meter takes neither the new keys nor the old ones; so for the other errors of ``connect``.
    """
    from cosem.connecting import connect

    client = open_with(
        store,
        name,
        _found(store, name),
        lambda keys: connect(url, **(options | {"security": secured(keys)})),
    )
    client.key_entry = name
    return client


async def connect_from_async(
    store: KeyStore,
    name: str,
    url: str,
    *,
    secured: Callable[[Keys], SecurityOfClient] = HighGmac,
    **options: Unpack[ConnectOptions],
) -> AsyncClient:
    """Return an asynchronous client; see :func:`connect_from`."""
    from cosem.connecting import connect_async

    async def open_(keys: Keys) -> AsyncClient:
        return await connect_async(url, **(options | {"security": secured(keys)}))

    client = await open_with_async(store, name, _found(store, name), open_)
    client.key_entry = name
    return client


def open_with(store: KeyStore, name: str, keys: Keys, opening: Callable[[Keys], C]) -> C:
    """Return what opens with the keys that wait for their proof, else with those in use.

    Args:
        store: The key store.
        name: The entry of the meter.
        keys: The keys in use.
        opening: Opens an association with keys.
    """
    failure: CosemError | None = None
    for entry, each in _candidates(store, name, keys):
        try:
            client = opening(each)
        except ConfigurationError:
            raise
        except CosemError as error:  # silence, too: some meters do not answer what they cannot decipher
            failure = _failed(entry, error, failure)
        else:
            return _proven(store, name, entry, each, keys, client)
    raise failure or _no_entry(name)


async def open_with_async(
    store: KeyStore, name: str, keys: Keys, opening: Callable[[Keys], Awaitable[C]]
) -> C:
    """Return what opens, for one event loop; see :func:`open_with`."""
    failure: CosemError | None = None
    for entry, each in _candidates(store, name, keys):
        try:
            client = await opening(each)
        except ConfigurationError:
            raise
        except CosemError as error:
            failure = _failed(entry, error, failure)
        else:
            return _proven(store, name, entry, each, keys, client)
    raise failure or _no_entry(name)


def _candidates(store: KeyStore, name: str, keys: Keys) -> Iterator[tuple[str, Keys]]:
    """Return the keys to try, with the entry where they wait: empty for those in use.

    What was agreed on comes last: those in use open the meter where somebody has changed them since.
    """
    new = _waiting(store, name, keys)
    if new is not None:
        yield pending_entry(name), new
    yield "", keys
    for entry in apart_entries(store, name):
        apart = apart_keys(store, entry, keys)
        if apart is not None:
            yield entry, apart


def _failed(entry: str, error: CosemError, failure: CosemError | None) -> CosemError | None:
    """Return the error to tell should nothing open the meter: that of the keys in use."""
    if not entry:
        return error
    _log.info("the keys kept as %s do not open the meter", entry)
    return failure


def _found(store: KeyStore, name: str) -> Keys:
    keys = store.find(name=name)
    if keys is None:
        raise _no_entry(name)
    return keys


def _no_entry(name: str) -> ConfigurationError:
    return ConfigurationError(f"the key store has no entry {name}")


def _waiting(store: KeyStore, name: str, keys: Keys) -> Keys | None:
    """Return keys that wait and that opening can prove; the others need :meth:`KeysOfMeter.resume`."""
    entry = pending_entry(name)
    if entry not in store.names():
        return None
    waiting = store.find(name=entry)
    if waiting is None or all(getattr(waiting, each) == getattr(keys, each) for each in PROVEN_BY_OPENING):
        _log.warning(
            "a change of keys of %s was not finished: keys.resume() or cosem keys rotate --resume does that",
            name,
        )
        return None
    # What a caller has completed, such as the title of the client, holds for both.
    taken: dict[str, Any] = {each: getattr(waiting, each) for each in KEY_IDS}
    return replace(keys, **taken)


def _proven(store: KeyStore, name: str, entry: str, new: Keys, old: Keys, client: C) -> C:
    if not entry:
        return client
    if entry != pending_entry(name):
        if not settled_apart(store, name, entry, new, old):
            _log.warning("somebody else has changed the keys since; the store is left alone")
            return client
    else:
        try:
            settled(store, name, new)
        except KeyChangeUnfinished as unfinished:
            _log.warning("%s", unfinished)
            return client
    _log.warning("the keys kept as %s are those of the meter: they took the place of the old ones", entry)
    return client
