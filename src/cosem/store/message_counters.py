"""What is counted at rest for keys that come with messages, for dedicated keys, and for signatures."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cosem.security.counters import (
    CounterName,
    InvocationCounter,
    ReplayGuard,
    ReplayMode,
    VolatileCounterStore,
)
from cosem.security.key_material import KeyRole

if TYPE_CHECKING:
    from cosem.store.counted_keys import CountedKeys

__all__ = ["KeptMessageCounters"]

_SENT: Final = b"keys of messages"
_NAME_SIZE: Final = 16


class KeptMessageCounters:
    """The :class:`~cosem.security.freshness.MessageCounters` of one side, in the store of its other counters.

    Args:
        counted: The keys, the title of this side, and the store.
    """

    __slots__ = ("_counted",)

    def __init__(self, counted: CountedKeys) -> None:
        self._counted = counted

    def counter(self) -> InvocationCounter:
        """Return the counter of what this side sends under any such key: one for all, which never begins anew."""
        return self._counted.store.counter(CounterName(_SENT, self._counted.title))

    def guard(self, family: bytes | None, title: bytes) -> ReplayGuard:
        """Return the replay protection of a sender, at rest with every message."""
        if family is None:
            key = self._counted.keys.required(KeyRole.MASTER)
            family = b"WRAPPED " + key.fingerprint(self._counted.store.salt)
        return self._counted.guard_named(self._name(family, title))

    def guard_within(self, name: CounterName) -> ReplayGuard:
        """Return a fresh replay protection that forgets with the association, with the mode and the jump of the keys."""
        return replace(self._counted, store=VolatileCounterStore()).guard_named(name)

    def take_transaction(self, family: bytes, title: bytes, place: int) -> bool:
        """Take note of the transaction-id of a signature that was verified; return whether it is beyond all before."""
        taken = self._counted.store.accept(self._name(family, title), place)
        return taken or self._counted.mode is not ReplayMode.STRICT

    def _name(self, family: bytes, title: bytes) -> CounterName:
        digest = sha256(b"cosem messages" + self._counted.store.salt + family).digest()
        return CounterName(digest[:_NAME_SIZE], title)
