"""The security context that associations of a server share: suite, policy and keys, which clients may change.

A :class:`HeldSecurity` stands behind a Security setup object (Blue Book, class_id 64) and
behind every association whose profile was made of it. What is changed holds from the
next APDU on: the answer to the request that changed it still goes out under the old keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError, KeyMissingError
from cosem.security.counters import CounterStore, ReplayMode
from cosem.security.keys import Keys
from cosem.security.policy import ProtectionKind, SecurityPolicy, SecurityPolicyV0, SecurityPolicyV1
from cosem.security.suites import SecuritySuite
from cosem.server.certificates import HeldCertificates
from cosem.store.counted_keys import CountedKeys, weaknesses
from cosem.store.files import read_secret_file

if TYPE_CHECKING:
    from cosem.security.authentication import RandomOctets
    from cosem.security.certificates import Certificate
    from cosem.security.protection import Protection
    from cosem.security.status import SecurityOptions, SecurityStatus

__all__ = ["AUTHENTICATED_AND_ENCRYPTED", "HeldProtection", "HeldSecurity"]

AUTHENTICATED_AND_ENCRYPTED: Final = SecurityPolicyV1(0x6C)
"""Tag and encryption for requests and for responses."""
_CHANGEABLE: Final = frozenset(field.name for field in fields(Keys)) - {"suite", "server_title"}


class HeldSecurity:
    """Suite, policy, keys and certificates, as they are at the moment.

    Args:
        keys: What there is when the meter is made; ``server_title`` is ours.
        policy: What requests and responses must have at least: of version 0 or of version 1 of Security setup.
        counters: Where counters are kept; by default a file of the user.
        replay: What happens to a request whose counter was used before.
        largest_jump: How far a counter of a client may be beyond the one expected; any distance by default: a client
            that went too far on, since somebody told it a wrong counter, must not be locked out for it.
        broadcast: Whether unconfirmed requests under the broadcast key are taken.
        across_associations: Whether messages that bring their key, and messages that are only signed, are
            compared with those of former associations; see :class:`~cosem.security.context.SecurityContext`.
        anchors: Certificates of the authorities that are trusted; installed at manufacture, never imported.
        certificates: Certificates that are there besides.
        on_change: Called before anything changes, with the keys and the policy as they are going to be: puts
            them to rest. What it raises stops the change.
        random_octets: Where ephemeral and new private keys come from.
        allow_test_keys: Take keys that everybody knows, and one key for two purposes.

    Attributes:
        changes: How often it was changed.
        client_title: System title of the client that was written to Security setup; ``None`` for none.
        proven_by_signature: Whether clients open an association by signatures (HLS 7) under keys that are held here.
        on_client_title: Called with that title before it holds: puts it to rest. What it raises stops the change.

    Raises:
        ConfigurationError: Keys that must not be used.
        KeyMissingError: Our system title is missing.

    >>> from cosem.security.counters import VolatileCounterStore
    >>> held = HeldSecurity(
    ...     {"guek": b"k" * 15 + b"1", "server_title": "MMM0000BC614E"}, counters=VolatileCounterStore()
    ... )
    >>> held
    <HeldSecurity Keys(suite=0, server_title=MMM0000BC614E, encryption=<Key AES-128>), policy 6C>
    """

    def __init__(
        self,
        keys: Keys | Mapping[str, Any],
        *,
        policy: SecurityPolicy = AUTHENTICATED_AND_ENCRYPTED,
        counters: CounterStore | None = None,
        replay: ReplayMode | str = ReplayMode.STRICT,
        largest_jump: int | None = None,
        broadcast: bool = True,
        across_associations: bool = True,
        anchors: Iterable[Certificate] = (),
        certificates: Iterable[Certificate] = (),
        on_change: Callable[[Keys, SecurityPolicy], None] | None = None,
        random_octets: RandomOctets = secrets.token_bytes,
        allow_test_keys: bool = False,
    ) -> None:
        self._keys = keys if isinstance(keys, Keys) else Keys.parse(keys, read_secret_file)
        if self._keys.server_title is None:
            raise KeyMissingError("the system title of the server is missing: Keys(server_title=...)")
        self.title = bytes(self._keys.server_title)
        self._policy = policy
        self._counters = counters
        self.replay = ReplayMode(replay)
        self.largest_jump = largest_jump
        self.broadcast = broadcast
        self.across_associations = across_associations
        self.allow_test_keys = allow_test_keys
        self.random_octets = random_octets
        self.certificates = HeldCertificates(self.title, anchors, certificates)
        self.client_title: bytes | None = None
        self.on_client_title: Callable[[bytes], None] | None = None
        self.titles_heard: set[bytes] = set()
        self.proven_by_signature = False
        self.changes = 0
        self._on_change = on_change
        self._refuse_weak(self._keys)

    @property
    def keys(self) -> Keys:
        """The keys of the moment."""
        return self._keys

    @property
    def policy(self) -> SecurityPolicy:
        """The policy of the moment."""
        return self._policy

    @property
    def counters(self) -> CounterStore:
        """Where the counters are.

        Raises:
            SecurityError: The file of the user cannot be used.
        """
        if self._counters is None:
            from cosem.store.default_counters import default_counter_store

            self._counters = default_counter_store()
        return self._counters

    def change_keys(self, **changes: Any) -> None:
        """Replace keys: all of them, or none.

        Args:
            changes: By field of :class:`~cosem.security.keys.Keys`; suite and server title stay.

        Raises:
            ConfigurationError: A field that does not change, a key of another length, or one not to be used.
        """
        if not changes.keys() <= _CHANGEABLE:
            raise ConfigurationError(f"{', '.join(sorted(changes.keys() - _CHANGEABLE))} does not change")
        keys = replace(self._keys, **changes)
        self._refuse_weak(keys)
        self._change(keys, self._policy)

    def name_client(self, title: bytes) -> None:
        """Take the system title of the client, for associations in which it is not sent.

        Raises:
            ConfigurationError: It is ours, or the keys are those of another client.
        """
        if title == self.title or self._keys.client_title not in (None, title):
            raise ConfigurationError("the system title of the server, or not that of the client of the keys")
        if self.on_client_title is not None:
            self.on_client_title(title)
        self.client_title = title

    def strengthen(self, policy: int) -> None:
        """Activate a policy that demands all that the present one does.

        Args:
            policy: Its number, in the version of the present policy.

        Raises:
            ConfigurationError: It is none, or demands less, or signatures that suite or keys do not allow.
        """
        wanted = _policy_like(self._policy, policy)
        if not wanted.contains(self._policy):  # type: ignore[arg-type]
            raise ConfigurationError("a policy is only ever strengthened")
        self._refuse_impossible(wanted)
        self._change(self._keys, wanted)

    def _change(self, keys: Keys, policy: SecurityPolicy) -> None:
        if self._on_change is not None:
            self._on_change(keys, policy)
        self._keys, self._policy = keys, policy
        self.changes += 1

    def _refuse_impossible(self, policy: SecurityPolicy) -> None:
        """Refuse a policy that nobody could meet any more: there is no way back from it."""
        signed = ProtectionKind.SIGNED
        if not (policy.request | policy.response) & signed:
            return
        if SecuritySuite(self._keys.suite) is SecuritySuite.AES_GCM_128:
            raise ConfigurationError("security suite 0 has no signatures")
        if policy.response & signed and self._keys.signing is None:
            raise ConfigurationError("the server has no key to sign with")
        known = self.certificates.public_keys()[0].keys() - {self.title}
        if policy.request & signed and self._keys.peer_signing is None and not known:
            raise ConfigurationError("no public key with which a client signs is known")

    def put_certificate(self, certificate: Certificate) -> None:
        """Hold a certificate of somebody else, in place of the one of the same subject and use.

        Raises:
            ConfigurationError: It would take the place of the only authority that vouches for a client that signs.
            VerificationError: There is no room for another one.
        """
        self._refuse_to_lose_signers(lambda: self.certificates.signers(with_one=certificate))
        self.certificates.put(certificate)
        self.noted()

    def remove_certificate(self, certificate: Certificate) -> None:
        """Forget a certificate.

        Raises:
            ConfigurationError: It is that of the server or of an anchor, or no client could sign any more, and some must.
        """
        self._refuse_to_lose_signers(lambda: self.certificates.signers(without=certificate))
        if not self.certificates.remove(certificate):
            raise ConfigurationError("the certificate of the server or of an anchor is not removed")
        self.noted()

    def _refuse_to_lose_signers(self, left: Callable[[], set[bytes]]) -> None:
        """Refuse what takes away the last public key with which a client could sign: there is no way back from it."""
        if self._keys.peer_signing is not None:
            return
        demanded = self.proven_by_signature or self._policy.request & ProtectionKind.SIGNED
        if demanded and self.certificates.signers() and not left():
            raise ConfigurationError("no public key with which a client signs would be left")

    def noted(self) -> None:
        """Take note that certificates have changed: public keys may be other ones."""
        self.changes += 1

    def _refuse_weak(self, keys: Keys) -> None:
        if not self.allow_test_keys and (found := weaknesses(keys)):
            raise ConfigurationError("; ".join(found) + ": allow_test_keys takes them all the same")

    # --- what associations need ----------------------------------------------------------------------

    def counted(self, *, every_message: bool = True) -> CountedKeys:
        """Return the keys of the moment with their counters.

        Args:
            every_message: Whether each counter received is at rest before its message is used.
        """
        return CountedKeys(
            self._keys, self.title, self.counters, self.replay, every_message, self.largest_jump
        )

    def protection(self, client_title: bytes | None, *, every_message: bool = True) -> HeldProtection:
        """Return the protection of one association, which follows every change.

        Args:
            client_title: That of the client; by default the one written to Security setup.
            every_message: As in :meth:`counted`.

        Raises:
            KeyMissingError: The global unicast key is not known.
        """
        title = client_title or self.client_title
        return HeldProtection(self, title, every_message=every_message)

    def heard(self, title: bytes) -> None:
        """Take note of a client whose message was verified."""
        if len(self.titles_heard) < _MOST_TITLES:
            self.titles_heard.add(title)

    def last_counter_of(self, client_title: bytes | None = None) -> int:
        """Return the last invocation counter taken from a client under the global unicast key; 0 for none.

        Args:
            client_title: By default the only client, else the one that is furthest on.
        """
        keys = self._keys
        if keys.encryption is None:
            return 0
        wanted = client_title or keys.client_title or self.client_title
        titles = {bytes(wanted)} if wanted is not None else self.titles_heard
        guard = self.counted().guard()
        return max((max(guard(title).lowest_acceptable - 1, 0) for title in titles), default=0)

    def fresh_protection(self, client_title: bytes | None, *, every_message: bool) -> Protection:
        """Return a protection with the keys and the policy of the moment."""
        from cosem.security.context import SecurityContext, Side
        from cosem.security.material import material_of

        keys = self._keys
        material = material_of(keys, server=True)
        signing, agreement = self.certificates.public_keys()
        material = replace(
            material,
            signing_keys={**material.signing_keys, **signing},
            agreement_keys={**material.agreement_keys, **agreement},
        )
        context = SecurityContext(
            material,
            self.title,
            client_title,
            Side.SERVER,
            self._policy,
            broadcast=self.broadcast,
            across_associations=self.across_associations,
        )
        return self.counted(every_message=every_message).protection(context)

    def __repr__(self) -> str:
        return f"<HeldSecurity {self._keys!r}, policy {int(self._policy):02X}>"


_MOST_TITLES: Final = 4096


class HeldProtection:
    """The protection of one association, a ``ServerProtection``, always with the keys and policy of the moment.

    A public key is one of the moment until the certificate that lends it, or one above that, expires or is removed.

    Args:
        held: Where keys and policy are.
        client_title: System title of the client.
        every_message: Whether each counter received is at rest before its message is used.
    """

    __slots__ = ("_answering", "_changes", "_client_title", "_every_message", "_expired", "_held", "_present")

    def __init__(self, held: HeldSecurity, client_title: bytes | None, *, every_message: bool) -> None:
        self._held = held
        self._client_title = client_title
        self._every_message = every_message
        self._changes = held.changes
        self._expired = held.certificates.expired()
        self._present = held.fresh_protection(client_title, every_message=every_message)
        self._answering = self._present

    def _now(self) -> Protection:
        """Return the protection of the moment."""
        held = self._held
        expired = held.certificates.expired()
        if self._changes != held.changes or self._expired != expired:
            fresh = held.fresh_protection(self._client_title, every_message=self._every_message)
            self._present = fresh.follow(self._present)
            self._changes, self._expired = held.changes, expired
        return self._present

    @property
    def policy(self) -> SecurityPolicy:
        """The policy of the moment."""
        return self._held.policy

    @property
    def options(self) -> SecurityOptions:
        """How an APDU is protected that answers nothing."""
        return self._now().options

    def unprotect(self, apdu: bytes) -> tuple[bytes, SecurityStatus]:
        """Return the clear octets of a request and what was found."""
        self._answering = self._now()
        clear, status = self._answering.unprotect(apdu)
        if status.system_title not in self._held.titles_heard and status.verified and not status.broadcast:
            self._held.heard(status.system_title)
        return clear, status

    def answering(self, status: SecurityStatus | None) -> Protection:
        """Return what answers the request that has just come: what deciphered it, or that of the moment if in clear."""
        if status is None:
            self._answering = self._now()
        return self._answering

    def protect(self, apdu: bytes, options: SecurityOptions | SecurityStatus | None = None) -> bytes:
        """Return the protected octets of an answer, under the keys of its request, or of a notification."""
        protection = self._now() if options is None else self._answering
        return protection.protect(apdu, options)

    def protect_unasked(self, apdu: bytes, kinds: ProtectionKind) -> bytes:
        """Return the protected octets of a notification that must have more than the policy says."""
        return self._now().protect_unasked(apdu, kinds)

    def check(self, options: SecurityOptions | SecurityStatus | None = None) -> None:
        """Refuse what :meth:`protect` could not do."""
        protection = self._now() if options is None else self._answering
        protection.check(options)

    def overhead(self, size: int, options: SecurityOptions | SecurityStatus | None = None) -> int:
        """Return how many octets the protection of an answer adds."""
        return self._answering.overhead(size, options)

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take the dedicated key in the InitiateRequest, for later."""
        self._now().hold_dedicated_key(octets)

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key from now on, if there is one."""
        self._now().activate_dedicated_key()


def _policy_like(present: SecurityPolicy, number: int) -> SecurityPolicy:
    """Return the policy of a number in the version of another policy."""
    if isinstance(present, SecurityPolicyV0):
        try:
            return SecurityPolicyV0(number)
        except ValueError:
            raise ConfigurationError(f"security policy {number} is none of 0 to 3") from None
    return SecurityPolicyV1.parse(number)
