"""How a client proves who it is and protects what it sends: what is given to ``connect(security=...)``.

====================  =====================================================================
``LowLevel``          a password (LLS); legacy
``HighManufacturer``  HLS 2, a function of the manufacturer
``HighMd5``           HLS 3, legacy
``HighSha1``          HLS 4, legacy
``HighGmac``          HLS 5: the global keys prove it
``HighSha256``        HLS 6
``HighEcdsa``         HLS 7: a signature
``Ciphered``          no proof but that of the keys, by ciphering
====================  =====================================================================

Each takes ``ciphering``, a
:class:`~cosem.client.ciphering.Ciphering` that says how APDUs are protected; with
``HighGmac``, ``HighEcdsa`` and ``Ciphered`` they are, unless it is ``None``. Counters
are kept in the file of :mod:`cosem.store.default_counters`, unless ``counters`` names
another store. Legacy mechanisms, keys that everybody knows and tags without encryption
are told once to the log ``cosem.client.security``.

    >>> from cosem.security.keys import Keys
    >>> keys = Keys.parse(guek=b"k" * 16, gak=b"a" * 16, client_title="MMM0000000001")
    >>> HighGmac(keys)
    HighGmac(Keys(suite=0, client_title=MMM0000000001, encryption=<Key AES-128>, authentication=<Key AES-128>))
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from logging import getLogger
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypedDict, Unpack

from cosem.association.preparation import PreparedAssociation
from cosem.client.ciphering import AUTHENTICATED_ENCRYPTION, Ciphering
from cosem.errors import ConfigurationError, KeyMissingError
from cosem.security.authentication import (
    Claim,
    ClientHls,
    DigestMechanism,
    EcdsaMechanism,
    HlsMechanism,
    ManufacturerMechanism,
    RandomOctets,
)
from cosem.security.counters import CounterStore, ReplayMode
from cosem.security.key_material import KEY_SIZES, KeyRole, Secret
from cosem.security.keys import Keys
from cosem.store.counted_keys import CountedKeys, weaknesses
from cosem.store.files import read_secret_file
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.parameters import AssociationParameters
    from cosem.security.context import SecurityContext

__all__ = [
    "INVOCATION_COUNTER",
    "Ciphered",
    "Ciphering",
    "HighEcdsa",
    "HighGmac",
    "HighManufacturer",
    "HighMd5",
    "HighSha1",
    "HighSha256",
    "LowLevel",
    "Settings",
]

INVOCATION_COUNTER: Final = LogicalName("0.0.43.1.0.255")
"""Where a meter shows the counter that it has seen from its client: attribute 2, to the public client."""

_M = AuthenticationMechanism
_CIPHERED: Final = {
    ApplicationContext.LN: ApplicationContext.LN_CIPHERED,
    ApplicationContext.SN: ApplicationContext.SN_CIPHERED,
}
_LEGACY: Final = {
    _M.LLS: "LLS sends the password as it is: whoever listens has it",
    _M.HLS_MD5: "HLS with MD5 is legacy: a short secret can be guessed from what is sent",
    _M.HLS_SHA1: "HLS with SHA-1 is legacy: a short secret can be guessed from what is sent",
}
_log = getLogger(__name__)
_told: set[str] = set()


class Settings(TypedDict, total=False):
    """What every security may be told besides its secrets."""

    counters: CounterStore
    """Where counters are kept; by default a file of the user."""
    replay: ReplayMode | str
    """What happens to an answer whose counter was used before: strict (the default), warn, off."""
    challenge_size: int
    """Octets of our challenge: 8 to 64, with ECDSA 32 to 64; 16 and 32 by default."""
    printable_challenge: bool
    """Whether challenges are letters and digits, for meters that take no others."""
    random_octets: RandomOctets
    """Where challenges and dedicated keys come from; by default ``secrets.token_bytes``."""


class _Security:
    """What all have in common: a ``ClientSecurity`` of :mod:`cosem.association.preparation`."""

    mechanism: ClassVar[AuthenticationMechanism]

    def __init__(
        self,
        keys: Keys | Mapping[str, Any] | None,
        ciphering: Ciphering | None,
        settings: Settings,
    ) -> None:
        self.keys = keys if isinstance(keys, Keys) else Keys.parse(keys, read_secret_file)
        self.ciphering = ciphering
        self._store = settings.get("counters")
        self._mode = ReplayMode(settings.get("replay", ReplayMode.STRICT))
        self._challenge_size = settings.get("challenge_size")
        self._printable = settings.get("printable_challenge", False)
        self._random = settings.get("random_octets", secrets.token_bytes)

    def prepare(self, parameters: AssociationParameters) -> PreparedAssociation:
        """Return ``parameters`` with what this security adds, fresh for each opening.

        Raises:
            KeyMissingError: A key, a secret or the system title of the client is missing.
            ConfigurationError: The parameters contradict it.
            SecurityError: The counters cannot be used.
        """
        if parameters.mechanism not in (_M.LOWEST, self.mechanism) or parameters.secret is not None:
            raise ConfigurationError(f"{parameters.mechanism} and {self.mechanism} were both asked for")
        if parameters.pre_established and self.mechanism is not _M.LOWEST:
            raise ConfigurationError("a pre-established association has no authentication")
        self._warn()
        keys = self._keys_with_title(parameters)
        changes: dict[str, Any] = {"mechanism": self.mechanism, "secret": self._password()}
        changes["calling_ap_title"] = keys.client_title
        counted = self._counted(keys, parameters) if self._needs_counters else None
        protection = None
        if self.ciphering is not None and counted is not None:
            context = parameters.application_context
            changes["application_context"] = _CIPHERED.get(context, context)
            if self.ciphering.dedicated:
                changes["dedicated_key"] = self._random(KEY_SIZES[keys.suite])
            if self.ciphering.general:
                changes["conformance"] = parameters.proposed_conformance | Conformance.GENERAL_PROTECTION
            protection = counted.protection(self._context(keys, self.ciphering))
        elif parameters.application_context.ciphered:
            raise ConfigurationError("an application context with ciphering, and no ciphering was asked for")
        hls = self._hls(keys, counted)
        certificate = self._certificate()
        if certificate is not None:
            changes["calling_ae_qualifier"] = certificate
        authenticator = None if hls is None else self._authenticator(hls, keys)
        return PreparedAssociation(replace(parameters, **changes), protection, authenticator)

    def raise_counter(self, seen: int, role: KeyRole = KeyRole.GLOBAL_UNICAST_ENCRYPTION) -> None:
        """Go on after a counter that the meter has seen, if ours is behind; it never goes back.

        The meter shows it to the public client: attribute 2 of :data:`INVOCATION_COUNTER`. Take it from
        there, and not from an exception-response, which anybody can forge.

        Args:
            seen: What the meter says.
            role: Of which key.

        Raises:
            KeyMissingError: The key or the system title of the client is missing.
            CounterExhausted: Nothing can follow.
        """
        keys = self.keys
        if keys.client_title is None:
            raise KeyMissingError("the system title of the client is missing: Keys(client_title=...)")
        self._counted(keys, None).counter(role).raise_to(seen + 1)

    @property
    def _needs_counters(self) -> bool:
        return self.ciphering is not None

    @property
    def _needs_title(self) -> bool:
        return self.ciphering is not None or self.mechanism >= _M.HLS_GMAC

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism | None:
        """Return the mechanism of HLS, if there is one."""
        del keys, counted
        return None

    def _password(self) -> bytes | None:
        return None

    def _certificate(self) -> bytes | None:
        return None

    def _keys_with_title(self, parameters: AssociationParameters) -> Keys:
        keys, given = self.keys, parameters.calling_ap_title
        if given is not None:
            if keys.client_title is not None and keys.client_title != given:
                raise ConfigurationError("the keys are those of a client with another system title")
            keys = keys.over(Keys.parse(client_title=given, suite=keys.suite))
        if keys.client_title is None and self._needs_title:
            raise KeyMissingError("the system title of the client is missing: Keys(client_title=...)")
        return keys

    def _counted(self, keys: Keys, parameters: AssociationParameters | None) -> CountedKeys:
        if self._store is None:
            from cosem.store.default_counters import default_counter_store

            self._store = default_counter_store()
        # An association begins with an answer of its own, and so needs no counter at rest for each further one.
        every_message = parameters is not None and parameters.pre_established
        return CountedKeys(keys, keys.client_title or b"", self._store, self._mode, every_message)

    def _context(self, keys: Keys, ciphering: Ciphering) -> SecurityContext:
        from cosem.security.context import SecurityContext, Side
        from cosem.security.material import DEFAULT_INTERPRETATION, material_of

        return SecurityContext(
            material_of(keys),
            bytes(keys.client_title or b""),
            keys.server_title,
            Side.CLIENT,
            ciphering.policy,
            ciphering.security_options(),
            in_kind=ciphering.in_kind,
            encryption_only=ciphering.encryption_only,
            interpretation=ciphering.interpretation or DEFAULT_INTERPRETATION,
        )

    def _authenticator(self, hls: HlsMechanism, keys: Keys) -> ClientHls:
        return ClientHls(
            hls,
            self._random,
            client_title=keys.client_title,
            server_title=keys.server_title,
            challenge_size=self._challenge_size,
            printable=self._printable,
        )

    def _warn(self) -> None:
        found = [_LEGACY[self.mechanism]] if self.mechanism in _LEGACY else []
        if self._needs_counters:
            found += weaknesses(self.keys)
        if self.ciphering is not None and not self.ciphering.encrypted and self.ciphering.options is None:
            found.append("APDUs are authenticated and not encrypted: whoever listens can read them")
        for each in found:
            if each not in _told:
                _told.add(each)
                _log.warning("%s", each)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.keys!r})"


class Ciphered(_Security):
    """No authentication of its own, and ciphered APDUs: whoever has the keys is the client.

    Args:
        keys: With client title, encryption and authentication key.
        ciphering: How APDUs are protected.
        settings: See :class:`Settings`.
    """

    mechanism = _M.LOWEST

    def __init__(
        self,
        keys: Keys | Mapping[str, Any],
        ciphering: Ciphering = AUTHENTICATED_ENCRYPTION,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(keys, ciphering, settings)


class LowLevel(_Security):
    """Low level security: a password, sent as it is.

    Args:
        password: The password; by default that of ``keys``.
        keys: The keys, where APDUs are ciphered.
        ciphering: How APDUs are protected; not at all by default.
        settings: See :class:`Settings`.

    Raises:
        KeyMissingError: There is no password.
    """

    mechanism = _M.LLS

    def __init__(
        self,
        password: str | bytes | Secret | None = None,
        *,
        keys: Keys | Mapping[str, Any] | None = None,
        ciphering: Ciphering | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(keys, ciphering, settings)
        if password is not None:
            self.keys = replace(self.keys, password=Secret.parse(password, read_secret_file))
        self.keys.required(KeyRole.PASSWORD)

    def _password(self) -> bytes | None:
        return bytes(self.keys.required(KeyRole.PASSWORD).octets)


class _HighDigest(_Security):
    """HLS with a secret.

    Args:
        secret: The HLS secret; by default that of ``keys``.
        keys: The keys, where APDUs are ciphered.
        ciphering: How APDUs are protected; not at all by default.
        settings: See :class:`Settings`.

    Raises:
        KeyMissingError: There is no secret.
    """

    def __init__(
        self,
        secret: str | bytes | Secret | None = None,
        *,
        keys: Keys | Mapping[str, Any] | None = None,
        ciphering: Ciphering | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(keys, ciphering, settings)
        if secret is not None:
            self.keys = replace(self.keys, hls_secret=Secret.parse(secret, read_secret_file))
        self.keys.required(KeyRole.HLS_SECRET)

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism:
        del counted
        return DigestMechanism(self.mechanism, keys.required(KeyRole.HLS_SECRET))


class HighMd5(_HighDigest):
    """HLS 3: MD5 over challenge and secret; legacy. Arguments are those of :class:`HighSha256`."""

    mechanism = _M.HLS_MD5


class HighSha1(_HighDigest):
    """HLS 4: SHA-1 over challenge and secret; legacy. Arguments are those of :class:`HighSha256`."""

    mechanism = _M.HLS_SHA1


class HighSha256(_HighDigest):
    """HLS 6: SHA-256 over secret, titles and challenges; ``keys`` hold the title of the client.

    Args:
        secret: The HLS secret; by default that of ``keys``.
        keys: Client title, and the keys where APDUs are ciphered.
        ciphering: How APDUs are protected; not at all by default.
        settings: See :class:`Settings`.

    Raises:
        KeyMissingError: There is no secret.
    """

    mechanism = _M.HLS_SHA256


class HighManufacturer(_Security):
    """HLS 2: a function of the manufacturer.

    Args:
        function: Returns the proof of a :class:`~cosem.security.authentication.Claim`: at the least, what
            answers its ``challenge``.
        verify: Returns whether the meter's proof is right; by default it is computed and compared.
        keys: The keys, where APDUs are ciphered.
        ciphering: How APDUs are protected; not at all by default.
        settings: See :class:`Settings`.
    """

    mechanism = _M.HLS

    def __init__(
        self,
        function: Callable[[Claim], bytes],
        verify: Callable[[Claim, bytes], bool] | None = None,
        *,
        keys: Keys | Mapping[str, Any] | None = None,
        ciphering: Ciphering | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(keys, ciphering, settings)
        self._mechanism = ManufacturerMechanism(function, verify)

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism:
        del keys, counted
        return self._mechanism


class HighGmac(_Security):
    """HLS 5: GMAC under the global keys, with their invocation counter.

    Args:
        keys: With client title, encryption and authentication key.
        ciphering: How APDUs are protected; ``None`` for not at all.
        settings: See :class:`Settings`.
    """

    mechanism = _M.HLS_GMAC

    def __init__(
        self,
        keys: Keys | Mapping[str, Any],
        ciphering: Ciphering | None = AUTHENTICATED_ENCRYPTION,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(keys, ciphering, settings)

    @property
    def _needs_counters(self) -> bool:
        return True

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism | None:
        del keys
        return None if counted is None else counted.gmac()


class HighEcdsa(_Security):
    """HLS 7: signatures, suites 1 and 2.

    Args:
        keys: With client title, signing key, and the public key with which the meter signs.
        ciphering: How APDUs are protected; ``None`` for not at all.
        certificate: DER certificate of the client's signing key, sent in the AARQ.
        settings: See :class:`Settings`.
    """

    mechanism = _M.HLS_ECDSA

    def __init__(
        self,
        keys: Keys | Mapping[str, Any],
        ciphering: Ciphering | None = AUTHENTICATED_ENCRYPTION,
        *,
        certificate: bytes | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(keys, ciphering, settings)
        self._der = certificate

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism:
        del counted
        if keys.peer_signing is None:
            raise KeyMissingError("the public key with which the meter signs is not known: peer_signing")
        return EcdsaMechanism(keys.signing_key(), keys.peer_signing)

    def _certificate(self) -> bytes | None:
        return self._der
