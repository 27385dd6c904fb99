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
are told once to the log ``cosem.client.security_base``.

    >>> from cosem.security.keys import Keys
    >>> keys = Keys.parse(guek=b"k" * 16, gak=b"a" * 16, client_title="MMM0000000001")
    >>> HighGmac(keys)
    HighGmac(Keys(suite=0, client_title=MMM0000000001, encryption=<Key AES-128>, authentication=<Key AES-128>))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Unpack

from cosem.client.ciphering import AUTHENTICATED_ENCRYPTION, Ciphering
from cosem.client.security_base import INVOCATION_COUNTER, SecurityOfClient, Settings
from cosem.errors import ConfigurationError, KeyMissingError
from cosem.security.authentication import (
    Claim,
    DigestMechanism,
    EcdsaMechanism,
    HlsMechanism,
    ManufacturerMechanism,
)
from cosem.security.key_material import KeyRole, Secret
from cosem.security.keys import Keys
from cosem.store.counted_keys import CountedKeys
from cosem.store.files import read_secret_file
from cosem.types.enumerations import AuthenticationMechanism

__all__ = [
    "AUTHENTICATED_ENCRYPTION",
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

_M = AuthenticationMechanism


class Ciphered(SecurityOfClient):
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


class LowLevel(SecurityOfClient):
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
        _refuse_keys(type(self), password, "password")
        super().__init__(keys, ciphering, settings)
        if password is not None:
            self.keys = replace(self.keys, password=Secret.parse(password, read_secret_file))
        self.keys.required(KeyRole.PASSWORD)

    def _password(self) -> bytes | None:
        return bytes(self.keys.required(KeyRole.PASSWORD).octets)


class _HighDigest(SecurityOfClient):
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
        _refuse_keys(type(self), secret, "secret")
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


def _refuse_keys(kind: type, given: object, wanted: str) -> None:
    """Refuse keys where a secret comes first.

    Raises:
        ConfigurationError: Keys were given.
    """
    if isinstance(given, (Keys, Mapping)):
        raise ConfigurationError(
            f"{kind.__name__} takes its {wanted} first: {kind.__name__}(keys=...) takes it from the keys"
        )
    if given is not None and not isinstance(given, (str, bytes, Secret)):
        raise ConfigurationError(f"a {type(given).__name__} is no {wanted}")


class HighManufacturer(SecurityOfClient):
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
        if not callable(function):
            raise ConfigurationError(
                "HighManufacturer takes the function of the manufacturer first; keys are given as keys=..."
            )
        super().__init__(keys, ciphering, settings)
        self._mechanism = ManufacturerMechanism(function, verify)

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism:
        del keys, counted
        return self._mechanism


class HighGmac(SecurityOfClient):
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


class HighEcdsa(SecurityOfClient):
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
