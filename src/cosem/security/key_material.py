"""Keys and secrets that never print, and every way to write them down (IEC 62056-5-3, 5.5 and 5.6).

A key shows its kind and nothing else, is compared in constant time, cannot be
pickled, and gives its octets only to who asks for :attr:`Secret.octets`::

    >>> Key.parse("000102030405060708090A0B0C0D0E0F")
    <Key AES-128>

Text is taken in one of four forms. A prefix decides; without one a *key* is
hexadecimal, else text of the right length, else base64; a *password or HLS
secret* is text, as it is typed at the meter.

=============  ==============================================================
prefix         meaning
=============  ==============================================================
``hex:``       hexadecimal digits, in pairs or not; ``0x`` means the same
``text:``      the characters themselves, UTF-8
``base64:``    base64, also in the alphabet for URLs, with or without padding
``@``          the content of a file: whoever reads files hands in how
=============  ==============================================================
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest, digest
from typing import ClassVar, Final, NoReturn, Self, TypeAlias

from cosem.errors import ConfigurationError

__all__ = [
    "DEMONSTRATION_PREFIX",
    "KEY_SIZES",
    "Key",
    "KeyRole",
    "PrivateKey",
    "PublicKey",
    "ReadFile",
    "Secret",
    "octets_from_text",
]

ReadFile: TypeAlias = Callable[[str], bytes]
"""Returns the content of a file by its name; raises ConfigurationError where it cannot."""

KEY_SIZES: Final[Mapping[int, int]] = {0: 16, 1: 16, 2: 32}
"""Octets of the symmetric keys of each security suite (Table 2)."""

DEMONSTRATION_PREFIX: Final = b"COSEM-DEMO-KEY-"
"""How the published keys of the demonstration meter begin."""

_FINGERPRINT_SIZE: Final = 16
_HEXADECIMAL = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2}[ :\-]?)*[0-9A-Fa-f]{2})", re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9A-Fa-f :\-]")
_FEWEST_DIGITS: Final = 16
_MISTYPED: Final = 2
_NAMES: Final = {"hex": "hexadecimal", "text": "text", "base64": "base64", "file": "the content of a file"}


class KeyRole(StrEnum):
    """What a key is for (Table 4); one key serves one purpose."""

    GLOBAL_UNICAST_ENCRYPTION = "guek"
    GLOBAL_BROADCAST_ENCRYPTION = "gbek"
    GLOBAL_AUTHENTICATION = "gak"
    MASTER = "kek"
    DEDICATED = "dedicated"
    SIGNING = "signing"
    KEY_AGREEMENT = "key-agreement"
    TLS = "tls"
    HLS_SECRET = "hls-secret"  # noqa: S105 -- the name of a role
    PASSWORD = "password"  # noqa: S105 -- the name of a role


class Secret:
    """Octets that never print: a password of LLS, or the secret of HLS 2, 3, 4 and 6.

    >>> Secret.parse("12345678")
    <Secret>
    >>> Secret.parse("12345678") == Secret.parse("hex:3132333435363738")
    True

    Args:
        octets: The secret itself; any length but none.

    Raises:
        ConfigurationError: It is empty.
    """

    __slots__ = ("_octets",)
    _text_first: ClassVar[bool] = True

    def __init__(self, octets: bytes) -> None:
        self._octets = bytes(octets)
        self._check()

    def _check(self) -> None:
        if not self._octets:
            raise ConfigurationError("a secret without octets")

    @classmethod
    def sizes(cls) -> tuple[int, ...]:
        """Return the lengths that are allowed, octets; empty for any."""
        return ()

    @classmethod
    def parse(cls, value: str | bytes | Secret, read_file: ReadFile | None = None) -> Self:
        """Return what a text, octets or another secret means.

        Args:
            value: Octets, or text in one of the forms of this module.
            read_file: Reads the file of ``@name``; without it no file is read.

        Raises:
            ConfigurationError: It is in none of the forms, or has the wrong length. The error says which
                form was taken, and nothing of the content.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, Secret):
            return cls(value.octets)
        if isinstance(value, str):
            value, form = octets_from_text(
                value, sizes=cls.sizes(), text_first=cls._text_first, read_file=read_file
            )
            if cls.sizes() and len(value) not in cls.sizes():
                raise ConfigurationError(_wrong_size(len(value), cls.sizes(), form))
        return cls(value)

    @property
    def octets(self) -> bytes:
        """The secret itself: only for a cipher, a hash or a store."""
        return self._octets

    def fingerprint(self, salt: bytes = b"") -> bytes:
        """Return 16 octets that tell secrets apart and do not reveal them: HMAC-SHA-256, keyed by the secret.

        Args:
            salt: Makes the fingerprints of one store useless elsewhere.
        """
        return digest(self._octets, b"cosem fingerprint" + salt, "sha256")[:_FINGERPRINT_SIZE]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Digests have one length, so that the time tells not even the length.
        mine, theirs = sha256(self._octets).digest(), sha256(other._octets).digest()
        return compare_digest(mine, theirs) and type(self) is type(other)

    def __hash__(self) -> int:
        return hash(self.fingerprint(b"hash"))

    def __len__(self) -> int:
        return len(self._octets)

    def __repr__(self) -> str:
        return "<Secret>"

    def __format__(self, specification: str) -> str:
        return format(repr(self), specification)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{self!r} is not pickled: hand the name of its place in a key store instead")


class Key(Secret):
    """A symmetric key: 16 octets in suites 0 and 1, 32 octets in suite 2.

    Args:
        octets: The key itself.

    Raises:
        ConfigurationError: Another length.
    """

    __slots__ = ()
    _text_first: ClassVar[bool] = False

    def _check(self) -> None:
        if len(self._octets) not in self.sizes():
            raise ConfigurationError(_wrong_size(len(self._octets), self.sizes(), ""))

    @classmethod
    def sizes(cls) -> tuple[int, ...]:
        """Return the lengths that are allowed, octets."""
        return tuple(sorted(set(KEY_SIZES.values())))

    def for_suite(self, suite: int, role: KeyRole | None = None) -> Self:
        """Return this key if it has the length of a suite.

        Raises:
            ConfigurationError: It has not; the error says of which key.
        """
        if len(self._octets) != KEY_SIZES.get(suite):
            what = "the key" if role is None else f"the key {role.value}"
            raise ConfigurationError(
                f"{what} has {len(self._octets)} octets, security suite {suite} wants {KEY_SIZES.get(suite)}"
            )
        return self

    @property
    def is_well_known(self) -> bool:
        """Whether everybody knows this key: one octet repeated, an example of the standard, or of the demonstration."""
        known = len(set(self._octets)) == 1 or self._octets.startswith(DEMONSTRATION_PREFIX)
        return known or any(
            self._octets == bytes((start + step) & 0xFF for step in range(len(self._octets)))
            for start in (0x00, 0x01, 0x10, 0xC0, 0xD0)
        )

    def __repr__(self) -> str:
        return f"<Key AES-{8 * len(self._octets)}>"


class PrivateKey(Secret):
    """The private key of a signature or key agreement: a number of 32 (P-256) or 48 octets (P-384).

    Args:
        octets: The number, big-endian, zero padded.

    Raises:
        ConfigurationError: Another length, 0, or no less than the order of the curve.
    """

    __slots__ = ()
    _text_first: ClassVar[bool] = False

    def _check(self) -> None:
        if len(self._octets) not in self.sizes():
            raise ConfigurationError(_wrong_size(len(self._octets), self.sizes(), ""))
        from cosem.security.curves import ORDERS

        if not 1 <= int.from_bytes(self._octets, "big") < ORDERS[len(self._octets)]:
            raise ConfigurationError("a private key is a number from 1 to the order of its curve, less 1")

    @classmethod
    def sizes(cls) -> tuple[int, ...]:
        """Return the lengths that are allowed, octets."""
        return (32, 48)

    def __repr__(self) -> str:
        return f"<PrivateKey P-{8 * len(self._octets)}>"


class PublicKey(bytes):
    """The public key of a signature or key agreement: x ‖ y, 64 (P-256) or 96 octets (P-384).

    Not a secret. The octet 04 of the uncompressed form may come before.

    Raises:
        ConfigurationError: Another length.
    """

    __slots__ = ()

    def __new__(cls, octets: bytes) -> Self:
        """Return the key of its coordinates; ConfigurationError if they have another length."""
        octets = bytes(octets)
        if len(octets) in (65, 97) and octets[0] == 4:
            octets = octets[1:]
        if len(octets) not in (64, 96):
            raise ConfigurationError(f"a public key has 64 or 96 octets, not {len(octets)}")
        return super().__new__(cls, octets)

    @classmethod
    def parse(cls, value: str | bytes, read_file: ReadFile | None = None) -> Self:
        """Return the key that octets or a text mean, in the forms of this module.

        Raises:
            ConfigurationError: It is in none of the forms, or has the wrong length.
        """
        if isinstance(value, str):
            value, _ = octets_from_text(value, sizes=(64, 65, 96, 97), read_file=read_file)
        return cls(value)

    def __repr__(self) -> str:
        return f"PublicKey({self.hex().upper()!r})"


def octets_from_text(
    text: str, *, sizes: tuple[int, ...] = (), text_first: bool = False, read_file: ReadFile | None = None
) -> tuple[bytes, str]:
    """Return the octets that a text means, and the name of the form that was taken.

    Hexadecimal digits without a prefix are never taken for text, unless ``text_first``, also where one or two
    of them are none: a key of the wrong suite, or with a slip of the finger, must not become another key.

    Args:
        text: In one of the forms of this module.
        sizes: Lengths that fit, octets; they decide between text and base64. Empty for any.
        text_first: Whether a text without prefix is the secret itself.
        read_file: Reads the file of ``@name``.

    Raises:
        ConfigurationError: It is in none of the forms.
    """
    prefix, colon, rest = text.partition(":")
    prefix = prefix.strip().lower()
    if colon and prefix in ("hex", "text", "base64"):
        return _in_form(prefix, rest), prefix
    if text.startswith("@"):
        return _from_file(text[1:], sizes, text_first=text_first, read_file=read_file), "file"
    if text_first:
        if text.lower().startswith("0x"):
            return _in_form("hex", text), "hex"
        return text.encode(), "text"
    text = text.strip()
    if _HEXADECIMAL.fullmatch(text):
        return _in_form("hex", text), "hex"
    octets = text.encode()
    others = len(_NO_DIGIT.findall(text))
    if len(text) >= _FEWEST_DIGITS and others <= _MISTYPED:
        raise ConfigurationError(
            f"{len(text)} characters, all of them hexadecimal digits but {others}: mistyped? Say text: before them if"
            " they are the key itself"
            if others
            else f"{len(text)} characters, all of them hexadecimal digits, in pairs that are not whole"
        )
    if not sizes or len(octets) in sizes:
        return octets, "text"
    try:
        decoded = _in_form("base64", text)
    except ConfigurationError:
        decoded = b""
    if len(decoded) in sizes:
        return decoded, "base64"
    raise ConfigurationError(
        f"{len(octets)} characters that are no hexadecimal digits, no text of {_listed(sizes)} octets"
        f" and no base64 of as many; say hex:, text:, base64: or @file to choose"
    )


def _in_form(form: str, text: str) -> bytes:
    """Return the octets of a text in the form that its prefix names."""
    if form == "text":
        return text.encode()
    if form == "hex":
        found = _HEXADECIMAL.fullmatch(text.strip())
        if not found:
            raise ConfigurationError("taken as hexadecimal: there is another character, or half an octet")
        return bytes.fromhex(re.sub(r"[ :\-]", "", found[1]))
    text = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (Base64Error, ValueError):
        raise ConfigurationError("taken as base64: there is another character, or one is missing") from None


def _from_file(name: str, sizes: tuple[int, ...], *, text_first: bool, read_file: ReadFile | None) -> bytes:
    """Return the octets that a file holds: raw if there are as many as fit, else as text."""
    if read_file is None:
        raise ConfigurationError("a file was named where no file is read: give hex:, text: or base64:")
    content = read_file(name)
    try:
        text = content.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        return content
    if len(content) in sizes and not _HEXADECIMAL.fullmatch(text):
        return content
    if text.startswith("@"):
        raise ConfigurationError("taken as the content of a file: it names a further file")
    try:
        return octets_from_text(text, sizes=sizes, text_first=text_first)[0]
    except ConfigurationError as error:
        raise ConfigurationError(f"taken as the content of a file: {error}") from None


def _wrong_size(size: int, sizes: tuple[int, ...], form: str) -> str:
    taken = f"taken as {_NAMES[form]}: " if form else ""
    hint = (
        "; write text: before it if the digits are the key itself"
        if form == "hex" and 2 * size in sizes
        else ""
    )
    return f"{taken}{size} octets where {_listed(sizes)} are wanted{hint}"


def _listed(sizes: tuple[int, ...]) -> str:
    return " or ".join(str(size) for size in sizes)
