"""Keys together with their counters: what protection and HLS need of a key store and a counter store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from logging import getLogger
from secrets import token_bytes
from typing import TYPE_CHECKING

from cosem.security.counters import (
    LARGEST_JUMP,
    CounterName,
    CounterStore,
    InvocationCounter,
    ReplayGuard,
    ReplayMode,
    renew_numbers,
)
from cosem.security.key_material import Key, KeyRole
from cosem.security.keys import Keys
from cosem.store.message_counters import KeptMessageCounters

if TYPE_CHECKING:
    from cosem.security.authentication import GmacMechanism
    from cosem.security.context import SecurityContext
    from cosem.security.protection import Protection

__all__ = ["CountedKeys", "weaknesses"]

_log = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CountedKeys:
    """The keys of one meter, as one side uses them.

    Args:
        keys: The keys.
        title: System title of this side: it goes into every nonce.
        store: Where the counters are.
        mode: What happens to a message whose counter was used before.
        every_message: Whether each counter received is at rest before its message is used.
        largest_jump: How far a received counter may be beyond the one expected; ``None`` for any distance.
    """

    keys: Keys
    title: bytes
    store: CounterStore
    mode: ReplayMode = ReplayMode.STRICT
    every_message: bool = True
    largest_jump: int | None = LARGEST_JUMP

    def counter(self, role: KeyRole = KeyRole.GLOBAL_UNICAST_ENCRYPTION) -> InvocationCounter:
        """Return the counter of what this side sends under a key.

        Raises:
            KeyMissingError: The key is not known.
            SecurityError: The store cannot be used.
        """
        return self.store.counter(self._name(role, self.title))

    def last_reserved(self, role: KeyRole = KeyRole.GLOBAL_UNICAST_ENCRYPTION) -> int:
        """Return the counter after the last one that was ever taken for sending; 0 for none.

        Raises:
            KeyMissingError: The key is not known.
        """
        return self.store.peek(self._name(role, self.title))

    def guard(self, role: KeyRole = KeyRole.GLOBAL_UNICAST_ENCRYPTION) -> Callable[[bytes], ReplayGuard]:
        """Return what makes the guard of a sender, by its system title.

        Raises:
            KeyMissingError: The key is not known.
        """

        def of_sender(title: bytes) -> ReplayGuard:
            # What is broadcast comes without an association that would begin with a message of its own.
            every_message = self.every_message or role is KeyRole.GLOBAL_BROADCAST_ENCRYPTION
            return self.guard_named(self._name(role, title), every_message=every_message)

        self.keys.required(role)
        return of_sender

    def guard_named(self, name: CounterName, *, every_message: bool = True) -> ReplayGuard:
        """Return the guard of a counter by its name."""

        def tell(received: int, expected: int) -> None:
            _log.warning(
                "invocation counter %d of %s was used before: %d or more was expected",
                received,
                name.title.hex().upper(),
                expected,
            )

        return ReplayGuard(
            self.store,
            name,
            self.mode,
            tell,
            every_message=every_message,
            largest_jump=self.largest_jump,
        )

    def protection(self, context: SecurityContext) -> Protection:
        """Return the protection of one association.

        Raises:
            KeyMissingError: The global unicast key is not known.
            SecurityError: The counters cannot be used.
        """
        from cosem.security.protection import Protection

        broadcast = KeyRole.GLOBAL_BROADCAST_ENCRYPTION if self.keys.broadcast is not None else None
        return Protection(
            context,
            self._renewed(self.counter()),
            self.guard(),
            broadcast_counter=None if broadcast is None else self.counter(broadcast),
            broadcast_replay=None if broadcast is None else self.guard(broadcast),
            message_counters=KeptMessageCounters(self),
            random=token_bytes,
        )

    def gmac(self) -> GmacMechanism:
        """Return HLS 5 under the global unicast key, with the counter that protection uses, too.

        Raises:
            KeyMissingError: The key is not known.
            SecurityError: The counters cannot be used.
        """
        from cosem.security.authentication import GmacMechanism

        counter = self._renewed(self.counter())
        return GmacMechanism(self.keys.suite, self.keys.gcm_key(), counter, self.guard())

    def _renewed(self, counter: InvocationCounter) -> InvocationCounter:
        """Return a counter that is not behind what other programs have sent before this association."""
        renew_numbers(counter)
        return counter

    def _name(self, role: KeyRole, title: bytes) -> CounterName:
        return CounterName.of(self.keys.required(role), title, self.store.salt)


def weaknesses(keys: Keys, concerned: Collection[str] | None = None) -> list[str]:
    """Return what is wrong with keys, in words: known to everybody, or one key for two purposes.

    Args:
        keys: The keys.
        concerned: Only what is wrong with these fields; by default with any.
    """
    names = ("encryption", "authentication", "broadcast", "master")
    known = {name: key for name in names if isinstance(key := getattr(keys, name), Key)}
    found = [
        f"the {name} key is an example that everybody knows"
        for name in known
        if known[name].is_well_known and (concerned is None or name in concerned)
    ]
    for first, key in known.items():
        found += [
            f"{first} and {other} are one key"
            for other in known
            if other > first
            and known[other] == key
            and (concerned is None or first in concerned or other in concerned)
        ]
    return found
