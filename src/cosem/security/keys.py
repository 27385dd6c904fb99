"""The keys of one meter for one client, and the protocol of the places that keep them.

A :class:`Keys` holds whatever is known of one security context (IEC 62056-5-3, 5.1): suite, titles, keys,
secrets. Nothing in it prints but the suite, the titles and which keys there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias, runtime_checkable

from cosem.errors import ConfigurationError, ConversionError, KeyMissingError
from cosem.security.key_material import (
    KEY_SIZES,
    Key,
    KeyRole,
    PrivateKey,
    PublicKey,
    ReadFile,
    Secret,
    octets_from_text,
)
from cosem.security.system_title import SystemTitle

if TYPE_CHECKING:
    from cosem.security.gcm import GcmKey
    from cosem.security.signing import SigningKey

__all__ = [
    "ALIASES",
    "OF_THE_SUITE",
    "Decide",
    "KeyHolder",
    "KeyStore",
    "Keys",
    "UpdatedKeyStore",
    "fits_suite",
    "value_of",
]


class KeyHolder(Protocol):
    """A symmetric key that never leaves its place: an HSM, a vault, a secure element.

    It stands wherever a :class:`~cosem.security.key_material.Key` may stand for encryption. What it does
    is AES-GCM with nonces of 12 and tags of 12 octets.
    """

    def encrypt(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return the ciphertext, and the tag after it."""
        ...

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return the plaintext of a ciphertext with its tag after it.

        Raises:
            VerificationError: The tag is wrong.
        """
        ...

    def fingerprint(self, salt: bytes = b"") -> bytes:
        """Return 16 octets that tell this key from every other one and do not reveal it."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys and secrets of one meter for one client.

    >>> keys = Keys.parse(encryption="000102030405060708090A0B0C0D0E0F", server_title="MMM0000BC614E")
    >>> keys
    Keys(suite=0, server_title=MMM0000BC614E, encryption=<Key AES-128>)
    >>> keys.required(KeyRole.GLOBAL_AUTHENTICATION)
    Traceback (most recent call last):
    ...
    cosem.errors.KeyMissingError: no key authentication (gak) is known for MMM0000BC614E

    Args:
        suite: Security suite: 0, 1 or 2.
        client_title: System title of the client.
        server_title: System title of the meter.
        encryption: Global unicast encryption key (GUEK), or what holds it.
        authentication: Global authentication key (GAK).
        broadcast: Global broadcast encryption key (GBEK), or what holds it.
        master: Master key (KEK), wraps the others.
        signing: Private key with which this side signs, or what holds it.
        key_agreement: Private key of this side for key agreement.
        peer_signing: Public key with which the other side signs.
        peer_key_agreement: Public key of the other side for key agreement.
        hls_secret: Secret of HLS 2, 3, 4 and 6.
        password: Password of LLS.

    Raises:
        ConfigurationError: A key does not have the length of the suite, or is on the curve of another one.
    """

    suite: int = 0
    client_title: SystemTitle | None = None
    server_title: SystemTitle | None = None
    encryption: Key | KeyHolder | None = None
    authentication: Key | None = None
    broadcast: Key | KeyHolder | None = None
    master: Key | None = None
    signing: PrivateKey | SigningKey | None = None
    key_agreement: PrivateKey | None = None
    peer_signing: PublicKey | None = None
    peer_key_agreement: PublicKey | None = None
    hls_secret: Secret | None = None
    password: Secret | None = None

    def __post_init__(self) -> None:
        if self.suite not in (0, 1, 2):
            raise ConfigurationError(f"security suite {self.suite} is none of 0, 1 and 2")
        for name, role in _SYMMETRIC.items():
            key = getattr(self, name)
            if isinstance(key, Key):
                key.for_suite(self.suite, role)
        for name in OF_THE_SUITE[len(_SYMMETRIC) :] if self.suite else ():
            value = getattr(self, name)
            if not fits_suite(name, value, self.suite):
                raise ConfigurationError(
                    f"{name} is a key of {_CURVES[len(value)]}, security suite {self.suite} wants one of"
                    f" {_CURVES[_COORDINATES[self.suite]]}"
                )

    @classmethod
    def parse(
        cls, texts: Mapping[str, Any] | None = None, /, read_file: ReadFile | None = None, **more: Any
    ) -> Self:
        """Return the keys that texts mean; a form for each is chosen as in :mod:`cosem.security.key_material`.

        Args:
            texts: By name of the field, or by ``guek``, ``gak``, ``gbek`` and ``kek``.
            read_file: Reads the file of ``@name``.
            more: The same as arguments; values may be keys already.

        Raises:
            ConfigurationError: A name that means nothing, or a text that cannot be read; says which.
        """
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {}
        for given, value in {**(texts or {}), **more}.items():
            name = ALIASES.get(given, given)
            if name not in known:
                raise ConfigurationError(
                    f"{given!r} names no key: {', '.join(sorted(known | ALIASES.keys()))} do"
                )
            if name in values:
                raise ConfigurationError(f"{name} was given twice")
            try:
                values[name] = value_of(name, value, read_file)
            except (ConfigurationError, ConversionError) as error:
                role = f" ({_SYMMETRIC[name].value})" if name in _SYMMETRIC else ""
                raise ConfigurationError(f"{name}{role}: {error}") from None
        try:
            return cls(**values)
        except ConfigurationError as error:
            forms = _forms({**(texts or {}), **more}, values)
            raise ConfigurationError(f"{error}{forms}") from None

    def required(self, role: KeyRole) -> Any:
        """Return the key or secret of a role.

        Raises:
            KeyMissingError: There is none.
        """
        name = _FIELDS[role]
        value = getattr(self, name)
        if value is None:
            whose = f" for {self.server_title}" if self.server_title is not None else ""
            raise KeyMissingError(f"no key {name} ({role.value}) is known{whose}")
        return value

    def gcm_key(self, role: KeyRole = KeyRole.GLOBAL_UNICAST_ENCRYPTION) -> GcmKey:
        """Return an encryption key together with the authentication key, ready to protect and open.

        Raises:
            KeyMissingError: The encryption key is not known, or the authentication key of one held elsewhere.
        """
        from cosem.security.gcm import AesGcmKey, HeldGcmKey

        key = self.required(role)
        if isinstance(key, Key):
            return AesGcmKey(key, self.authentication)
        return HeldGcmKey(key, self.required(KeyRole.GLOBAL_AUTHENTICATION))

    def signing_key(self) -> SigningKey:
        """Return the key with which this side signs.

        Raises:
            KeyMissingError: It is not known.
            ConfigurationError: Suite 0 has no signatures, or the key is none of the suite's curve.
        """
        from cosem.security.signing import EcdsaKey
        from cosem.security.suites import SecuritySuite

        key = self.required(KeyRole.SIGNING)
        return EcdsaKey(SecuritySuite(self.suite), key) if isinstance(key, PrivateKey) else key

    def over(self, other: Keys | None) -> Keys:
        """Return these keys, completed by those of ``other`` where there is none here.

        The suite is that of the keys: without any here, it is that of ``other``; where both have keys and the
        suites differ, nothing is taken that has the length of another suite.
        """
        if other is None:
            return self
        missing = {
            field.name: getattr(other, field.name)
            for field in fields(self)
            if field.name != "suite" and getattr(self, field.name) is None
        }
        if all(getattr(self, name) is None for name in OF_THE_SUITE):
            return replace(self, suite=other.suite, **missing)
        if other.suite != self.suite:
            missing = {
                name: value
                for name, value in missing.items()
                if name not in OF_THE_SUITE or (value is not None and fits_suite(name, value, self.suite))
            }
        return replace(self, **missing)

    def masked(self) -> dict[str, str]:
        """Return what may be shown: each field by name, keys as their kind and the first digits of a fingerprint."""
        shown: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            shown[field.name] = _mask(value)
        return shown

    def __repr__(self) -> str:
        parts = [f"suite={self.suite}"]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value is None:
                continue
            shown = str(value) if isinstance(value, SystemTitle) else _kind(value)
            parts.append(f"{field.name}={shown}")
        return f"Keys({', '.join(parts)})"


class KeyStore(Protocol):
    """A place that keeps keys by meter: under its system title, its name or URL, or ``default`` for all."""

    def find(self, *, server_title: bytes | None = None, name: str | None = None) -> Keys | None:
        """Return what is known of a meter: the entry of its title, completed by name, then by default.

        Raises:
            ConfigurationError: The entry cannot be read.
        """
        ...

    def put(self, name: str, keys: Keys) -> None:
        """Keep keys under a name, in place of what was there; written whole or not at all.

        Raises:
            ConfigurationError: This place cannot be written to, or cannot hold such a key.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget an entry, if there is one."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of the entries; never what is in them."""
        ...


Decide: TypeAlias = "Callable[[], Mapping[str, Any] | None]"
"""Returns fields of :class:`Keys` to set, ``suite`` among them, or ``None`` to forget the entry.

What it raises leaves the store alone.
"""


@runtime_checkable
class UpdatedKeyStore(KeyStore, Protocol):
    """A key store that several may write to at once: it changes single fields while nobody else writes."""

    def update(self, name: str, decide: Decide) -> None:
        """Set fields of an entry and leave its others alone, or forget it; the entry is made where there is none.

        What completes the entry, such as the default, is not written into it.

        Args:
            name: Of the entry.
            decide: Called while nobody else writes; it may call ``find`` and ``names``, and nothing else.

        Raises:
            ConfigurationError: As ``put``.
        """
        ...


_SYMMETRIC: Final = {
    "encryption": KeyRole.GLOBAL_UNICAST_ENCRYPTION,
    "authentication": KeyRole.GLOBAL_AUTHENTICATION,
    "broadcast": KeyRole.GLOBAL_BROADCAST_ENCRYPTION,
    "master": KeyRole.MASTER,
}
_FIELDS: Final = {
    **{role: name for name, role in _SYMMETRIC.items()},
    KeyRole.SIGNING: "signing",
    KeyRole.KEY_AGREEMENT: "key_agreement",
    KeyRole.HLS_SECRET: "hls_secret",
    KeyRole.PASSWORD: "password",
}
_COORDINATES: Final[Mapping[int, int]] = {1: 32, 2: 48}
_CURVES: Final[Mapping[int, str]] = {32: "P-256", 64: "P-256", 48: "P-384", 96: "P-384"}
_READERS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_SYMMETRIC, Key),
    "signing": PrivateKey,
    "key_agreement": PrivateKey,
    "peer_signing": PublicKey,
    "peer_key_agreement": PublicKey,
    "hls_secret": Secret,
    "password": Secret,
}
OF_THE_SUITE: Final = (*_SYMMETRIC, "signing", "key_agreement", "peer_signing", "peer_key_agreement")
"""The fields whose values have the length of a suite."""
_HELD: Final = {"encryption": "encrypt", "broadcast": "encrypt", "signing": "sign"}
"""The fields that may hold something that holds the key, and what it must be able to do."""
ALIASES: Final[Mapping[str, str]] = {role.value: name for name, role in _SYMMETRIC.items()}
"""The short names of Table 4, and the fields that they mean."""


def _forms(texts: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return how the texts of keys were taken that have not the length of the suite, in words."""
    said = []
    for given, text in texts.items():
        name = ALIASES.get(given, given)
        if name not in _SYMMETRIC or fits_suite(name, values[name], values.get("suite", 0)):
            continue
        if isinstance(text, str) and not text.startswith("@"):
            form = octets_from_text(text, sizes=Key.sizes())[1]
            said.append(f"{name} was taken as {form} of {len(text)} characters")
    return f" ({'; '.join(said)})" if said else ""


def fits_suite(field: str, value: Any, suite: int) -> bool:
    """Return whether a key of a field has the length of a suite; what holds a key elsewhere does not tell.

    Args:
        field: One of :data:`OF_THE_SUITE`.
        value: Its value.
        suite: 0, 1 or 2; suite 0 has no key pairs.
    """
    if field in _SYMMETRIC:
        return not isinstance(value, Key) or len(value) == KEY_SIZES.get(suite)
    if isinstance(value, PublicKey):
        return len(value) == 2 * _COORDINATES.get(suite, 0)
    return not isinstance(value, PrivateKey) or len(value) == _COORDINATES.get(suite)


def value_of(name: str, value: Any, read_file: ReadFile | None = None) -> Any:
    """Return what a text means for a field.

    Raises:
        ConfigurationError: It cannot be read.
        ConversionError: It is no system title.
    """
    if value is None:
        return None
    if name == "suite":
        if isinstance(value, bool) or not (isinstance(value, int) or str(value).strip().isdecimal()):
            raise ConfigurationError(f"{value!r} is no number")
        return int(value)
    if name.endswith("_title"):
        return SystemTitle(value)
    if isinstance(value, (int, float)):
        raise ConfigurationError("a number where a text is wanted: put it in quotes")
    if isinstance(value, (str, bytes, bytearray, Secret)):
        return _READERS[name].parse(bytes(value) if isinstance(value, bytearray) else value, read_file)
    if callable(getattr(value, _HELD.get(name, ""), None)):
        return value
    raise ConfigurationError(f"a {type(value).__name__} is no key")


def _kind(value: Any) -> str:
    return repr(value) if isinstance(value, (Secret, PublicKey)) else "<held elsewhere>"


def _mask(value: Any) -> str:
    if isinstance(value, (SystemTitle, int)):
        return str(value)
    if isinstance(value, PublicKey):
        return value.hex().upper()
    if type(value) is Secret or (isinstance(value, Key) and value.octets.isascii()):
        return "***"  # the fingerprint of what somebody can remember would let it be guessed
    if not isinstance(value, Secret):
        return _kind(value)
    return f"{_kind(value)} {value.fingerprint().hex()[:8]}"
