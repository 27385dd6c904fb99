"""What tells a repeated message where no counter of a key at rest does (later editions, 9.2.7.2).

Keys that come with a message live as long as that message or an association, and
general-signing has no counter at all. Within one association both are remembered here.
Across associations only what is at rest can tell: a :class:`MessageCounters` keeps,
for each sender, how far its invocation counters and transaction-ids have come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from cosem.errors import LimitError, VerificationError
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounterStore
from cosem.security.status import KeyUsed, Layer

if TYPE_CHECKING:
    from cosem.security.context import Counter, ReplayProtection
    from cosem.security.material import SecurityMaterial
    from cosem.security.message_keys import MessageKey

__all__ = ["LAST_TRANSACTION", "Freshness", "MessageCounters"]

_MOST_MESSAGE_KEYS: Final = 4096
_MOST_SIGNATURES: Final = 16384
_MOST_TRANSACTIONS: Final = 4096
_TRANSACTION_ID_SIZE: Final = 8
LAST_TRANSACTION: Final = (1 << 63) - 2
"""The highest place of a transaction-id in its order."""


class MessageCounters(Protocol):
    """What is counted at rest for keys that come with messages, for dedicated keys, and for signatures."""

    def counter(self) -> Counter:
        """Return the counter of what this side sends under any such key.

        It is one for all of them and never begins anew, so that no nonce repeats, whichever key comes again.
        """
        ...

    def guard(self, family: bytes | None, title: bytes) -> ReplayProtection:
        """Return the replay protection of a sender.

        Args:
            family: Tells the long-lived key apart with which the sender makes its keys; ``None`` for the
                master key.
            title: System title of the sender.
        """
        ...

    def guard_within(self, name: CounterName) -> ReplayProtection:
        """Return a fresh replay protection that forgets with the association; as strict as the others."""
        ...

    def take_transaction(self, family: bytes, title: bytes, place: int) -> bool:
        """Take note of the transaction-id of a signature that was verified.

        Args:
            family: Tells the signing key apart.
            title: System title of the signer.
            place: The transaction-id as a number, 0..:data:`LAST_TRANSACTION`.

        Returns:
            Whether it is beyond every one before.
        """
        ...


class Freshness:
    """Refuses messages under keys that came with a message, and signatures, that were received before.

    Args:
        counters: What is at rest, and how strict it is; ``None`` where nothing outlives the association.
        across_associations: Whether what is at rest is asked.
    """

    __slots__ = ("_asked", "_counters", "_guards", "_kept", "_signatures")

    def __init__(self, counters: MessageCounters | None, *, across_associations: bool = True) -> None:
        self._counters = counters
        self._kept = counters if across_associations else None
        self._guards: dict[bytes, ReplayProtection] = {}
        self._signatures: dict[bytes, None] = {}
        self._asked: dict[bytes, None] = {}

    def follow(self, former: Freshness) -> None:
        """Take over what was received in the same association until now."""
        self._guards, self._signatures, self._asked = former._guards, former._signatures, former._asked

    def guard_of_dedicated(self, fingerprint: bytes, title: bytes) -> ReplayProtection:
        """Return the replay protection of a sender under a dedicated key, which lives as long as the association."""
        return self._guard(b"dedicated" + fingerprint + title)

    def guard(self, key: MessageKey, title: bytes, material: SecurityMaterial) -> ReplayProtection:
        """Return the replay protection of a sender under a key that came with a message.

        What comes under a key that we made in this association cannot be older than the association. Whatever
        the sender made may come out of a former one: its counter has to be beyond all that it used before,
        under any key of that kind.

        Raises:
            LimitError: Too many keys came with messages.
        """
        if key.ours or self._kept is None:
            return self._guard(key.fingerprint + title)
        if key.used is KeyUsed.WRAPPED:
            return self._kept.guard(None, title)
        public = material.signing_keys if key.used is KeyUsed.ONE_PASS else material.agreement_keys
        return self._kept.guard(_family(key.used, public, title), title)

    def note_sent(self, transaction_id: bytes) -> None:
        """Take note of a transaction-id that we chose: an answer that repeats it belongs to this association."""
        self._asked[transaction_id] = None
        _shorten(self._asked, _MOST_TRANSACTIONS)

    def take_signature(self, layer: Layer, name: bytes, material: SecurityMaterial, *, counted: bool) -> None:
        """Take note of a signature that was verified.

        Args:
            layer: Of general-signing.
            name: Tells it from other signatures.
            material: Has the public key of the signer.
            counted: Whether the signer also applied a layer with a counter, which tells repetitions.

        Raises:
            VerificationError: It was among the last signatures of this association, or its transaction-id is
                not beyond those of the same signer before.
        """
        if name in self._signatures:
            raise VerificationError("this signature was received before")
        header = layer.header
        transaction_id = b"" if header is None else header.transaction_id
        if not counted and self._kept is not None:
            self._take_in_order(transaction_id, layer.system_title, material, self._kept)
        self._signatures[name] = None
        _shorten(self._signatures, _MOST_SIGNATURES)

    def _take_in_order(
        self, transaction_id: bytes, title: bytes, material: SecurityMaterial, kept: MessageCounters
    ) -> None:
        if not 0 < len(transaction_id) <= _TRANSACTION_ID_SIZE:
            raise VerificationError(
                f"a signature with a transaction-id of {len(transaction_id)} octets: with 1 to 8 of them it could be"
                " told from a repetition"
            )
        number = int.from_bytes(transaction_id, "big")
        # A server sets the topmost bit of those that it chooses, so that they are no client's: another series.
        series, place = number >> 63, number & (LAST_TRANSACTION + 1)
        family = _family(KeyUsed.SIGNING, material.signing_keys, title) + bytes((series,))
        beyond = place <= LAST_TRANSACTION and kept.take_transaction(family, title, place)
        # Answers come in another order than their requests, at times: those of this association are known.
        if not beyond and transaction_id not in self._asked:
            raise VerificationError("this signature, or one made after it, was received before")

    def _guard(self, name: bytes) -> ReplayProtection:
        guard = self._guards.get(name)
        if guard is None:
            if len(self._guards) >= _MOST_MESSAGE_KEYS:
                raise LimitError("keys that came with messages", len(self._guards) + 1, _MOST_MESSAGE_KEYS)
            within, counters = CounterName(b"", name), self._counters
            if counters is None:
                guard = ReplayGuard(VolatileCounterStore(), within)
            else:
                guard = counters.guard_within(within)
            self._guards[name] = guard
        return guard


def _family(used: KeyUsed, public_keys: Mapping[bytes, bytes], title: bytes) -> bytes:
    """Return what tells the public key of a sender, and what it is used for, from others."""
    return used.name.encode("ascii") + b" " + public_keys.get(title, b"")


def _shorten(remembered: dict[bytes, None], most: int) -> None:
    if len(remembered) > most:
        del remembered[next(iter(remembered))]
