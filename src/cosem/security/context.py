"""The security context of one association, and what is counted in it (IEC 62056-5-3, 5.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from cosem.errors import ConfigurationError, SecurityError
from cosem.security.counters import VolatileCounter
from cosem.security.freshness import Freshness, MessageCounters
from cosem.security.key_material import Secret
from cosem.security.material import DEFAULT_INTERPRETATION, Interpretation, SecurityMaterial
from cosem.security.message_keys import MessageKey
from cosem.security.policy import ProtectionKind, SecurityPolicy, SecurityPolicyV1
from cosem.security.status import DEFAULT_OPTIONS, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions

__all__ = ["Counter", "ReplayProtection", "SecurityContext", "SecuritySession", "Side"]


class Side(Enum):
    """Which side of the association we are."""

    CLIENT = "client"
    SERVER = "server"


class Counter(Protocol):
    """Gives the invocation counters of what is sent under one key; see :mod:`cosem.security.counters`."""

    def next(self) -> int:
        """Return a value that was never returned before.

        Raises:
            CounterExhausted: There is none left.
        """
        ...


class ReplayProtection(Protocol):
    """Knows which counters of one sender, under one key, were received; see :mod:`cosem.security.counters`."""

    def check(self, counter: int) -> None:
        """Refuse a counter that was used before; nothing changes.

        Raises:
            ReplayError: It was used before.
        """
        ...

    def accept(self, counter: int) -> None:
        """Note the counter of a message that was verified.

        Raises:
            ReplayError: It was used before.
        """
        ...


ReplayProtections: TypeAlias = Callable[[bytes], ReplayProtection]
"""Returns the replay protection of a sender, by its system title."""


@dataclass(frozen=True, slots=True)
class SecurityContext:
    """Suite, keys, titles and policy of one association.

    Args:
        material: The keys; the suite is theirs.
        system_title: Ours, 8 octets.
        peer_system_title: That of the other side; ``None`` until it says so, see
            :meth:`~cosem.security.protection.Protection.peer_title`.
        side: Which side we are: it says which half of the policy holds for what is received.
        policy: What both sides must do at least.
        options: How we protect what does not answer anything; strengthened to meet the policy.
        in_kind: Whether the client demands of every answer what its own options give.
        encryption_only: Whether APDUs with encryption and without a tag are taken and sent. Nobody can tell
            whether those are genuine: their status never says ``verified``.
        broadcast: Whether a server takes requests under the broadcast key, which every meter of a group has. Of
            those the association executes what is unconfirmed.
        across_associations: Whether messages whose key comes with them, and messages that are only signed, are
            compared with those of former associations, too. Their senders have to count on: invocation counters
            that begin at 0 with each such key, or transaction-ids in no order, are taken for repetitions.
        most_layers: How many layers of protection an APDU may have.
        strict: Whether a deviation from the standard is an error and not a finding.
        interpretation: How the standard is read where it can be read in two ways.

    Raises:
        ConfigurationError: Parameters that contradict each other.
    """

    material: SecurityMaterial
    system_title: bytes
    peer_system_title: bytes | None = None
    side: Side = Side.CLIENT
    policy: SecurityPolicy = SecurityPolicyV1.NOTHING
    options: SecurityOptions = DEFAULT_OPTIONS
    in_kind: bool = True
    encryption_only: bool = False
    broadcast: bool = True
    across_associations: bool = True
    most_layers: int = 3
    strict: bool = False
    interpretation: Interpretation = DEFAULT_INTERPRETATION

    def __post_init__(self) -> None:
        for title in (self.system_title, self.peer_system_title):
            if title is not None and len(title) != 8:
                raise ConfigurationError(f"a system title has 8 octets, not {len(title)}")
        if self.system_title == self.peer_system_title:
            raise ConfigurationError("both sides have one system title: they would use the same nonces")
        if self.most_layers < 1:
            raise ConfigurationError("at least one layer of protection must be allowed")
        for layer in self.options.layers:
            _check_layer(layer, self.material, encryption_only=self.encryption_only)

    @property
    def sent_kinds(self) -> ProtectionKind:
        """What the policy demands of what we send."""
        return self.policy.request if self.side is Side.CLIENT else self.policy.response

    @property
    def received_kinds(self) -> ProtectionKind:
        """What is demanded of what we receive."""
        if self.side is Side.SERVER:
            return self.policy.request
        return self.policy.response | (self.options.kinds if self.in_kind else ProtectionKind.NONE)


def _check_layer(layer: LayerOptions, material: SecurityMaterial, *, encryption_only: bool) -> None:
    """Refuse options that could never be carried out."""
    if layer.form is ProtectionForm.GENERAL_SIGNING:
        if material.signing is None:
            raise ConfigurationError("general-signing needs a private signing key")
        return
    if layer.key is KeyUsed.SIGNING:
        raise ConfigurationError(f"{layer.form.value} does not use a signing key")
    if layer.form is not ProtectionForm.GENERAL_CIPHERING:
        if layer.key not in (KeyUsed.GLOBAL_UNICAST, KeyUsed.GLOBAL_BROADCAST, KeyUsed.DEDICATED):
            raise ConfigurationError(f"{layer.form.value} does not use a {layer.key.value}")
        if not (layer.authenticated or layer.encrypted):
            raise ConfigurationError(f"{layer.form.value} authenticates, encrypts, or both")
    elif layer.key is KeyUsed.DEDICATED:
        raise ConfigurationError("general-ciphering does not use the dedicated key")
    if layer.encrypted and not layer.authenticated and not encryption_only:
        raise ConfigurationError("encryption without authentication has to be asked for: encryption_only")


class SecuritySession:
    """What changes while an association lasts: titles learnt, dedicated key, keys that came with messages.

    Args:
        context: What does not change.
        counter: Of the global unicast key.
        replay: By sender, for the global unicast key.
        broadcast_counter: Of the global broadcast key.
        broadcast_replay: By sender, for the global broadcast key.
        message_counters: Of keys that come with messages, of dedicated keys, and of signatures. Where nobody
            keeps them, ``counter`` does for sending, and nothing is compared with former associations.
    """

    def __init__(
        self,
        context: SecurityContext,
        counter: Counter,
        replay: ReplayProtections,
        broadcast_counter: Counter | None,
        broadcast_replay: ReplayProtections | None,
        message_counters: MessageCounters | None,
    ) -> None:
        self.context = context
        self.material = context.material
        self.peer_title = context.peer_system_title
        self.counter = counter
        self.broadcast_counter = broadcast_counter
        self._replay = replay
        self._broadcast_replay = broadcast_replay
        self._guards: dict[tuple[KeyUsed, bytes], ReplayProtection] = {}
        self._message_counters = message_counters
        self.freshness = Freshness(message_counters, across_associations=context.across_associations)
        self.established_by_us: dict[bytes, MessageKey] = {}
        self.established_by_peer: dict[bytes, MessageKey] = {}
        self.dedicated_counter: Counter | None = None
        self._held: Secret | None = None
        self._dedicated_key: Secret | None = None
        self._dedicated = b""
        self._dedicated_counters: dict[bytes, VolatileCounter] = {}

    def follow(self, former: SecuritySession) -> None:
        """Take over what belongs to an association that goes on under other global keys.

        The dedicated key stays what it is, and so does its counter, or a nonce could come twice. Keys that
        came with messages are forgotten: they were bound to the authentication key of the time.
        """
        if former.peer_title is not None and self.peer_title is None:
            self.peer_title = former.peer_title
        self.freshness.follow(former.freshness)
        self._dedicated_counters = former._dedicated_counters
        self._held = former._held
        self._dedicated_key, self._dedicated = former._dedicated_key, former._dedicated
        self.dedicated_counter = former.dedicated_counter
        if self._dedicated_key is not None:
            self.material = self.context.material.with_dedicated(self._dedicated_key.octets)

    def learn_title(self, title: bytes) -> None:
        """Take the title of the peer.

        Raises:
            SecurityError: It is none, ours, or another one than was known.
        """
        if len(title) != 8:
            raise SecurityError(f"a system title of {len(title)} octets, 8 are wanted")
        if self.peer_title is not None and title != self.peer_title:
            raise SecurityError(
                f"the peer calls itself {title.hex().upper()}, {self.peer_title.hex().upper()} is known"
            )
        if title == self.context.system_title:
            raise SecurityError("the peer has our own system title")
        self.peer_title = title

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take a dedicated key that is not used yet.

        Raises:
            ConfigurationError: It has not the length of the suite.
        """
        self.context.material.with_dedicated(octets)  # which refuses what is none
        self._held = Secret(octets)

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key from now on.

        Its counter is the one that all such keys have in common and that never begins anew: a dedicated key
        that comes again, by the will of a client or by mistake, must not make a nonce come again.
        """
        if self._held is None:
            return
        key, self._held = self._held, None
        self.material = self.context.material.with_dedicated(key.octets)
        self._dedicated_key, self._dedicated = key, key.fingerprint()
        if self._message_counters is not None or self.context.side is Side.SERVER:
            self.dedicated_counter = self.message_counter()
        else:
            self.dedicated_counter = self._dedicated_counters.setdefault(self._dedicated, VolatileCounter())

    def forget(self) -> None:
        """Drop every key that belongs to this association alone."""
        self.material, self._held, self.dedicated_counter = self.context.material, None, None
        self._dedicated_key = None
        self._guards.clear()  # those of the next association keep its first counter at rest again
        self.established_by_us.clear()
        self.established_by_peer.clear()

    def message_counter(self) -> Counter:
        """Return the counter of what we send under a key that came with a message, or lives for an association."""
        return self.counter if self._message_counters is None else self._message_counters.counter()

    def established_for_sending(self, recipient: bytes) -> MessageKey | None:
        """Return the key of a message that brings none: ours if we brought one before, else theirs."""
        return self.established_by_us.get(recipient) or self.established_by_peer.get(recipient)

    def established_for_receiving(self, sender: bytes) -> MessageKey | None:
        """Return the key of a message that brings none: theirs, else ours."""
        return self.established_by_peer.get(sender) or self.established_by_us.get(sender)

    def guard(self, key: KeyUsed, title: bytes, brought: MessageKey | None = None) -> ReplayProtection:
        """Return the replay protection of a key and a sender.

        Args:
            key: Which key.
            title: System title of the sender.
            brought: The key, where it came with a message.

        Raises:
            SecurityError: Nothing is counted for this key.
            LimitError: Too many keys came with messages.
        """
        if brought is not None:
            return self.freshness.guard(brought, title, self.material)
        if key is KeyUsed.DEDICATED:
            return self.freshness.guard_of_dedicated(self._dedicated, title)
        if key is not KeyUsed.GLOBAL_BROADCAST:
            key = KeyUsed.GLOBAL_UNICAST  # which is also the key of who names none
        guard = self._guards.get((key, title))
        if guard is None:
            guard = self._guards[key, title] = self._new_guard(key, title)
        return guard

    def _new_guard(self, key: KeyUsed, title: bytes) -> ReplayProtection:
        if key is KeyUsed.GLOBAL_BROADCAST:
            if self._broadcast_replay is None:
                raise SecurityError("there is no replay protection for the broadcast key")
            return self._broadcast_replay(title)
        return self._replay(title)
