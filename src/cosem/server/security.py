"""Associations of a server that authenticate and cipher: :func:`secured_profile`.

>>> from cosem.security.counters import VolatileCounterStore
>>> from cosem.security.keys import Keys
>>> from cosem.types.enumerations import AuthenticationMechanism
>>> keys = Keys.parse(guek=b"k" * 15 + b"1", gak=b"a" * 15 + b"2", server_title="MMM0000BC614E")
>>> profile = secured_profile(
...     AuthenticationMechanism.HLS_GMAC, keys, client_sap=1, counters=VolatileCounterStore()
... )
>>> profile.application_context.ciphered, profile.protected_only
(True, True)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from logging import getLogger
from typing import Any, Final

from cosem.association.client.parameters import ALL_SERVICES_LN, ALL_SERVICES_SN
from cosem.association.server.profile import AssociationProfile
from cosem.errors import ConfigurationError, CosemError, KeyMissingError
from cosem.security.authentication import (
    Claim,
    DigestMechanism,
    EcdsaMechanism,
    HlsMechanism,
    ManufacturerMechanism,
    RandomOctets,
    ServerHls,
)
from cosem.security.counters import CounterStore, ReplayMode
from cosem.security.key_material import KeyRole, Secret
from cosem.security.keys import Keys
from cosem.security.policy import ProtectionKind, SecurityPolicy
from cosem.server.held_security import AUTHENTICATED_AND_ENCRYPTED, HeldSecurity
from cosem.store.files import read_secret_file
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance

__all__ = ["AUTHENTICATED_AND_ENCRYPTED", "HeldSecurity", "HlsOfServer", "secured_profile"]

_M = AuthenticationMechanism
_DIGESTS: Final = (_M.HLS_MD5, _M.HLS_SHA1, _M.HLS_SHA256)
_LEGACY: Final = (_M.LLS, _M.HLS_MD5, _M.HLS_SHA1)
_log = getLogger(__name__)
_told: set[AuthenticationMechanism] = set()


class HlsOfServer:
    """Makes the server's half of a mechanism, fresh for each association that a client opens.

    Args:
        mechanism: Makes the mechanism out of the HLS secret of the moment; the other mechanisms ignore it.
        secret: Returns the HLS secret; a client may change it.
        server_title: System title of the server.
        random_octets: Where challenges come from.
        challenge_size: Octets of the challenge.
    """

    __slots__ = ("_mechanism", "_random", "_secret", "_size", "_title")

    def __init__(
        self,
        mechanism: Callable[[bytes | None], HlsMechanism],
        secret: Callable[[], bytes | None] | None,
        server_title: bytes | None,
        random_octets: RandomOctets,
        challenge_size: int | None,
    ) -> None:
        self._mechanism = mechanism
        self._secret = secret
        self._title = server_title
        self._random = random_octets
        self._size = challenge_size

    def __call__(self) -> ServerHls:
        """Return the half of one association."""
        secret = None if self._secret is None else self._secret()
        return ServerHls(
            self._mechanism(secret), self._random, server_title=self._title, challenge_size=self._size
        )

    def with_secret(self, secret: Callable[[], bytes | None]) -> HlsOfServer:
        """Return the same with another place where the HLS secret is: the Association object, as a rule."""
        return HlsOfServer(self._mechanism, secret, self._title, self._random, self._size)


class _EcdsaOfHeld(EcdsaMechanism):
    """Mechanism 7 under the public keys that are held: of certificates first, else the one that was configured.

    A certificate in the AARQ must be for that key.

    Args:
        held: Where the keys are.
    """

    __slots__ = ("_brought", "_held")

    def __init__(self, held: HeldSecurity) -> None:
        super().__init__(held.keys.signing_key(), None, lambda _: None)
        self._held = held
        self._brought: bytes | None = None

    def takes_certificate(self, certificate: bytes | None) -> bool:
        """Take note of the key of a certificate; whose it must be is known when the exchange begins."""
        if certificate is None:
            return True
        from cosem.security.certificates import Certificate

        try:
            self._brought = Certificate(certificate).public_key
        except CosemError:
            return False
        return True

    def prepare(self, peer_title: bytes | None) -> None:
        """Look for the public key of the client."""
        known, configured = self._held.certificates.public_keys()[0], self._held.keys.peer_signing
        found = configured if peer_title is None else known.get(bytes(peer_title), configured)
        self._peer = None if found is None else bytes(found)
        if self._brought not in (None, self._peer):
            self._peer = None


def secured_profile(
    mechanism: AuthenticationMechanism,
    keys: HeldSecurity | Keys | Mapping[str, Any],
    *,
    client_sap: int,
    ciphered: bool = True,
    policy: SecurityPolicy | None = None,
    short_names: bool = False,
    counters: CounterStore | None = None,
    replay: ReplayMode | str | None = None,
    function: Callable[[Claim], bytes] | None = None,
    public_key_of: Callable[[bytes], bytes | None] | None = None,
    challenge_size: int | None = None,
    random_octets: RandomOctets = secrets.token_bytes,
    allow_test_keys: bool = False,
    **more: Any,
) -> AssociationProfile:
    """Return the profile of an association that authenticates its client, and ciphers.

    Args:
        mechanism: How the client proves who it is.
        keys: What the mechanism and the ciphering need, and the titles of both sides: ``server_title`` is ours,
            ``client_title`` that of the one client, if there is one only. ``signing`` is our own key,
            ``peer_signing`` that of the client. With a :class:`~cosem.server.held_security.HeldSecurity` clients
            can change keys and policy through its Security setup object.
        client_sap: Address of the client.
        ciphered: Whether the application context has ciphering.
        policy: What requests and responses must have at least: 0x6C, tag and encryption in both, by default.
        short_names: Whether objects have short names.
        counters: Where counters are kept; by default a file of the user.
        replay: What happens to a request whose counter was used before; by default it is refused.
        function: HLS 2: returns the proof of a claim.
        public_key_of: HLS 7: returns the public key in a certificate that is to be trusted, else ``None``. Without it
            a client signs with the key of the certificate that is held for its title, or else with ``peer_signing``.
        challenge_size: Octets of our challenge.
        random_octets: Where challenges come from.
        allow_test_keys: Take keys that everybody knows, and one key for two purposes.
        more: What else :class:`~cosem.association.server.profile.AssociationProfile` takes.

    Raises:
        ConfigurationError: Keys that must not be used, or parameters that contradict each other.
        KeyMissingError: A key, a secret or our system title is missing.
        SecurityError: The counters cannot be used.
    """
    held = None
    if isinstance(keys, HeldSecurity):
        if policy is not None or counters is not None or replay is not None:
            raise ConfigurationError("policy, counters and replay are those of the held security")
        held, keys = keys, keys.keys
    elif not isinstance(keys, Keys):
        keys = Keys.parse(keys, read_secret_file)
    if held is None and (ciphered or mechanism is _M.HLS_GMAC):
        held = HeldSecurity(
            keys,
            policy=AUTHENTICATED_AND_ENCRYPTED if policy is None else policy,
            counters=counters,
            replay=ReplayMode.STRICT if replay is None else replay,
            allow_test_keys=allow_test_keys,
        )
    if held is not None and (ciphered or mechanism is _M.HLS_GMAC):
        demands = held.policy.request is not ProtectionKind.NONE
        more.setdefault("protected_only", ciphered and demands)
        # Where nobody opens an association without a verified message or proof of its own, what was recorded
        # from one that was lost comes too late; where somebody does, each counter must be at rest.
        opened = not more.get("pre_established", False) and (more["protected_only"] or mechanism >= _M.HLS)
        every_message = not opened
        held.counted().counter()  # what cannot work is told now, and not to the first client
        if ciphered:
            protect = held.protection
            more["protection"] = lambda title: protect(title, every_message=every_message)
    services = ALL_SERVICES_SN if short_names else ALL_SERVICES_LN
    more.setdefault("conformance", services | Conformance.GENERAL_PROTECTION if ciphered else services)
    if mechanism is _M.LLS:
        password = keys.required(KeyRole.PASSWORD).octets
        more.setdefault("secret", lambda: password)
    elif mechanism is not _M.LOWEST:
        made = _mechanism(mechanism, keys, held, function, public_key_of)
        if mechanism >= _M.HLS_GMAC and keys.server_title is None:
            raise KeyMissingError("the system title of the server is missing: Keys(server_title=...)")
        secret = keys.hls_secret.octets if mechanism in _DIGESTS and keys.hls_secret is not None else None
        more["authenticator"] = HlsOfServer(
            made, lambda: secret, keys.server_title, random_octets, challenge_size
        )
    _tell(mechanism)
    return AssociationProfile(
        client_sap=client_sap,
        application_context=_context(short_names=short_names, ciphered=ciphered),
        mechanism=mechanism,
        system_title=keys.server_title,
        client_system_title=keys.client_title,
        **more,
    )


def _mechanism(
    mechanism: AuthenticationMechanism,
    keys: Keys,
    held: HeldSecurity | None,
    function: Callable[[Claim], bytes] | None,
    public_key_of: Callable[[bytes], bytes | None] | None,
) -> Callable[[bytes | None], HlsMechanism]:
    """Return what makes the mechanism of one association; what is missing is told now."""
    if mechanism in _DIGESTS:
        keys.required(KeyRole.HLS_SECRET)
        return lambda secret: DigestMechanism(mechanism, Secret(secret or b""))
    if mechanism is _M.HLS_GMAC and held is not None:
        return lambda _: held.counted(every_message=False).gmac()
    if mechanism is _M.HLS_ECDSA:
        keys.signing_key()
        imported = held is not None and any(True for _ in held.certificates)
        if keys.peer_signing is None and public_key_of is None and not imported:
            raise KeyMissingError("the public key with which the client signs is not known: peer_signing")
        if held is not None and public_key_of is None:
            held.proven_by_signature = True
            return lambda _: _EcdsaOfHeld(held)

        def ecdsa(_: bytes | None) -> HlsMechanism:
            present = keys if held is None else held.keys
            return EcdsaMechanism(present.signing_key(), present.peer_signing, public_key_of)

        return ecdsa
    if mechanism is _M.HLS and function is not None:
        return lambda _: ManufacturerMechanism(function)
    raise ConfigurationError(f"{mechanism} needs a function of the manufacturer")


def _context(*, short_names: bool, ciphered: bool) -> ApplicationContext:
    if short_names:
        return ApplicationContext.SN_CIPHERED if ciphered else ApplicationContext.SN
    return ApplicationContext.LN_CIPHERED if ciphered else ApplicationContext.LN


def _tell(mechanism: AuthenticationMechanism) -> None:
    if mechanism in _LEGACY and mechanism not in _told:
        _told.add(mechanism)
        _log.warning("%s is legacy: whoever listens has the secret, or can guess it", mechanism)
