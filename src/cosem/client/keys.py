"""The keys of a meter, and how they are changed: ``meter.keys.rotate(...)``, ``meter.keys.agree(...)``.

A change is a transaction: the new keys are at rest before the meter gets them, they are
proven by a read, and only then the old ones go. When the answer of the meter is lost, the
new keys are tried, then the old ones; when the process is lost, :meth:`KeysOfMeter.resume`
or :func:`cosem.connecting.key_store.connect_from` goes on from there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.client.operations.key_change import (
    KEY_IDS,
    SECURITY_SETUP,
    KeyChange,
    Run,
    Step,
    Use,
    agreeing,
    opening_apart,
    pending_entry,
    resuming,
    transferring,
)
from cosem.client.operations.keys_at_rest import (
    apart_entries,
    apart_keys,
    has_entry,
    refuse_what_cannot_begin,
    taken_up,
    waits,
)
from cosem.client.security_base import SecurityOfClient
from cosem.errors import ConfigurationError, KeyChangeUnfinished
from cosem.security.key_material import KEY_SIZES, Key
from cosem.store.counted_keys import weaknesses

if TYPE_CHECKING:
    from cosem.client.aio.base import AsyncBase
    from cosem.client.base import ClientBase
    from cosem.client.blocking.base import BlockingBase
    from cosem.client.targets import Target
    from cosem.security.authentication import RandomOctets
    from cosem.security.keys import Keys, KeyStore

__all__ = ["AsyncKeysOfMeter", "KeysOfMeter"]

_USUAL: Final = ("encryption", "authentication")


class _KeysOfMeter:
    """What both have in common: everything that neither waits nor sends."""

    def __init__(self, client: ClientBase) -> None:
        self._base = client

    @property
    def present(self) -> Keys:
        """The keys that are in use.

        Raises:
            ConfigurationError: The association was made without keys.
        """
        return self._security.keys

    @property
    def _ciphered(self) -> Keys:
        """The keys that are in use, where a read proves them.

        Raises:
            ConfigurationError: The association has none, or protects nothing with them.
        """
        keys = self.present
        if self._security.ciphering is None:
            raise ConfigurationError(
                "this association is not ciphered, and nothing that is read in it would prove new keys:"
                " change them in one that is, with Ciphering()"
            )
        return keys

    @property
    def _security(self) -> SecurityOfClient:
        security = self._base.security
        if not isinstance(security, SecurityOfClient):
            raise ConfigurationError("the association was made without keys: connect(security=...)")
        return security

    def _name(self, name: str | None) -> str:
        if name is not None:
            return name
        if self._base.key_entry is not None:
            return self._base.key_entry
        title = self.present.server_title or self._base.negotiated.responding_ap_title
        return self._base.peer if title is None else str(_title(title))

    def _rotation(
        self,
        names: tuple[str, ...],
        new: Keys | Mapping[str, Any] | None,
        store: KeyStore,
        name: str | None,
        setup: Target,
        random: RandomOctets,
    ) -> KeyChange:
        keys, entry = self._ciphered, self._name(name)
        refuse_what_cannot_begin(store, entry, keys)
        given = _given(new)
        if unknown := (set(names) | given.keys()) - KEY_IDS.keys():
            raise ConfigurationError(
                f"{', '.join(sorted(unknown))} cannot be transferred: {', '.join(KEY_IDS)} can"
            )
        wanted = names or tuple(given) or _USUAL
        changes = {each: given.get(each) or Key(random(KEY_SIZES[keys.suite])) for each in wanted}
        changes |= given
        if not self._security.allows_test_keys:
            taken: dict[str, Any] = dict(changes)
            if found := weaknesses(replace(keys, **taken), changes.keys()):
                raise ConfigurationError(
                    f"a meter is not given such keys without allow_test_keys: {'; '.join(found)}"
                )
        return transferring(self._base.session, keys, changes, store, entry, setup)

    def _resumption(self, store: KeyStore, name: str | None, setup: Target) -> KeyChange:
        keys, entry = self._ciphered, self._name(name)
        apart = apart_entries(store, entry)
        if not waits(store, entry):
            raise ConfigurationError(f"no change of the keys of {entry} was begun")
        return self._finishing(keys, apart, store, entry, setup)

    def _finishing(
        self, keys: Keys, apart: list[str], store: KeyStore, entry: str, setup: Target
    ) -> KeyChange:
        """Finish what waits: what was agreed on first, for it tells under which keys the meter answers."""
        session = self._base.session
        found = yield from opening_apart(session, keys, _kept(store, entry) or keys, store, entry)
        keys = found or keys
        old = _kept(store, entry) or keys
        if pending_entry(entry) not in store.names():
            for each in apart_entries(store, entry):
                if apart_keys(store, each, old) is None:  # a master key, for example, that no opening proves
                    taken_up(store, entry, each)
                    break
        waiting = store.find(name=pending_entry(entry)) if pending_entry(entry) in store.names() else None
        if waiting is not None:
            return (yield from resuming(session, keys, old, waiting, store, entry, setup))
        if found is None:
            raise KeyChangeUnfinished("the meter does not answer under keys that were agreed on", apart[0])
        return found

    def _agreement(
        self, names: tuple[str, ...], store: KeyStore, name: str | None, setup: Target, random: RandomOctets
    ) -> KeyChange:
        keys, entry = self._ciphered, self._name(name)
        refuse_what_cannot_begin(store, entry, keys)
        return agreeing(self._base.session, keys, names or _USUAL, store, entry, random, setup)

    def _use(self, keys: Keys) -> None:
        self._base.use_security(self._security.with_keys(keys))

    def __repr__(self) -> str:
        return f"<keys of {self._base.peer}>"


class KeysOfMeter(_KeysOfMeter):
    """The keys of the meter of a blocking client."""

    def __init__(self, client: BlockingBase) -> None:
        super().__init__(client)
        self._client = client

    def rotate(
        self,
        *names: str,
        store: KeyStore,
        new: Keys | Mapping[str, Any] | None = None,
        name: str | None = None,
        setup: Target = SECURITY_SETUP,
        random: RandomOctets = secrets.token_bytes,
    ) -> Keys:
        """Give the meter new keys, wrapped with the master key, and return all keys as they are then.

        Args:
            names: Which: ``encryption``, ``authentication``, ``broadcast``, ``master``; by default those that are
                in ``new``, else the first two.
            store: Where the keys of the meter are kept.
            new: The new keys; those that are not given are made.
            name: The entry in the store; by default the one that opened the meter, else its system title.
            setup: The Security setup object.
            random: Where new keys come from.

        Raises:
            ActionError: The meter refused; the old keys are in force, and in the store.
            KeyChangeUnfinished: Nobody knows whether the meter took them; the store holds both.
            KeyMissingError: There is no master key.
            ConfigurationError: A change before was not finished, the store has other keys than the association, the
                association is not ciphered, or keys that cannot be: everybody knows them, or one serves two purposes.
        """
        return self._drive(self._rotation(names, new, store, name, setup, random))

    def resume(self, *, store: KeyStore, name: str | None = None, setup: Target = SECURITY_SETUP) -> Keys:
        """Finish a change of keys that was begun, and return all keys as they are then.

        Raises:
            ConfigurationError: None was begun.
            ActionError: As :meth:`rotate`.
            KeyChangeUnfinished: As :meth:`rotate`.
        """
        return self._drive(self._resumption(store, name, setup))

    def agree(
        self,
        *names: str,
        store: KeyStore,
        name: str | None = None,
        setup: Target = SECURITY_SETUP,
        random: RandomOctets = secrets.token_bytes,
    ) -> Keys:
        """Agree on new keys with the meter (suites 1 and 2), and return all keys as they are then.

        Args:
            names: Which, as for :meth:`rotate`.
            store: Where the keys of the meter are kept.
            name: The entry in the store.
            setup: The Security setup object.
            random: Where ephemeral keys come from.

        Raises:
            ActionError: The meter refused.
            VerificationError: The meter's half is not signed by it.
            KeyChangeUnfinished: The meter's half was lost: then nobody knows the new keys.
            ConfigurationError: Suite 0, or keys that are missing.
        """
        return self._drive(self._agreement(names, store, name, setup, random))

    def _drive(self, change: KeyChange) -> Keys:
        answer: Any = None
        error: Exception | None = None
        try:
            while True:
                step = change.send(answer) if error is None else change.throw(error)
                answer, error = None, None
                try:
                    answer = self._do(step)
                except Exception as raised:  # noqa: BLE001 -- the change decides what it means
                    error = raised
        except StopIteration as stop:
            keys: Keys = stop.value
            self._use(keys)
            return keys

    def _do(self, step: Step) -> Any:
        if isinstance(step, Run):
            return self._client.run(step.operation)
        if isinstance(step, Use):
            return self._use(step.keys)
        return self._client.reopen(self._security.with_keys(step.keys))


class AsyncKeysOfMeter(_KeysOfMeter):
    """The keys of the meter of an asynchronous client; see :class:`KeysOfMeter`."""

    def __init__(self, client: AsyncBase) -> None:
        super().__init__(client)
        self._client = client

    async def rotate(
        self,
        *names: str,
        store: KeyStore,
        new: Keys | Mapping[str, Any] | None = None,
        name: str | None = None,
        setup: Target = SECURITY_SETUP,
        random: RandomOctets = secrets.token_bytes,
    ) -> Keys:
        """Give the meter new keys; see :meth:`KeysOfMeter.rotate`."""
        return await self._drive(self._rotation(names, new, store, name, setup, random))

    async def resume(
        self, *, store: KeyStore, name: str | None = None, setup: Target = SECURITY_SETUP
    ) -> Keys:
        """Finish a change of keys that was begun; see :meth:`KeysOfMeter.resume`."""
        return await self._drive(self._resumption(store, name, setup))

    async def agree(
        self,
        *names: str,
        store: KeyStore,
        name: str | None = None,
        setup: Target = SECURITY_SETUP,
        random: RandomOctets = secrets.token_bytes,
    ) -> Keys:
        """Agree on new keys; see :meth:`KeysOfMeter.agree`."""
        return await self._drive(self._agreement(names, store, name, setup, random))

    async def _drive(self, change: KeyChange) -> Keys:
        answer: Any = None
        error: Exception | None = None
        try:
            while True:
                step = change.send(answer) if error is None else change.throw(error)
                answer, error = None, None
                try:
                    answer = await self._do(step)
                except Exception as raised:  # noqa: BLE001 -- the change decides what it means
                    error = raised
        except StopIteration as stop:
            keys: Keys = stop.value
            self._use(keys)
            return keys

    async def _do(self, step: Step) -> Any:
        if isinstance(step, Run):
            return await self._client.run(step.operation)
        if isinstance(step, Use):
            return self._use(step.keys)
        return await self._client.reopen(self._security.with_keys(step.keys))


def _given(new: Keys | Mapping[str, Any] | None) -> dict[str, Key]:
    """Return new keys by field, whatever they were given as."""
    from cosem.security.keys import ALIASES, Keys

    if new is None:
        return {}
    if isinstance(new, Keys):
        return {name: key for name in KEY_IDS if isinstance(key := getattr(new, name), Key)}
    return {
        ALIASES.get(name, name): Key.parse(value) if not isinstance(value, Key) else value
        for name, value in new.items()
    }


def _kept(store: KeyStore, name: str) -> Keys | None:
    """Return what the store has of the meter itself, and not of all."""
    return store.find(name=name) if has_entry(store, name) else None


def _title(octets: bytes) -> Any:
    from cosem.security.system_title import SystemTitle

    return SystemTitle(octets)
