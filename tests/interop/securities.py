"""The ways to authenticate and to protect that both sides are tried with, and the keys for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from cosem.client.ciphering import Ciphering
from cosem.client.security import (
    Ciphered,
    HighEcdsa,
    HighGmac,
    HighManufacturer,
    HighMd5,
    HighSha1,
    HighSha256,
    LowLevel,
)
from cosem.security.agreement import EcdhKey
from cosem.security.authentication import Claim
from cosem.security.counters import CounterStore
from cosem.security.keys import Keys
from cosem.security.signing import EcdsaKey
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.security.suites import SecuritySuite

__all__ = [
    "CIPHERED",
    "CLEAR",
    "HDLC",
    "HEAD",
    "KEY_CHANGES",
    "LAYERS",
    "SECURITIES",
    "SERVER_TITLE",
    "SHORT_NAMES",
    "SIMULATED",
    "TABLES",
    "SecurityCase",
    "keys_of_server",
    "keys_of_simulator",
    "security_of_ours",
    "usual_function",
]

SERVER_TITLE: Final = b"COS\x01\x02\x03\x04\x05"
SECRET: Final = "sesame open now!"  # 16 octets: what is usual with mechanism 2 takes it as a key of AES
PASSWORD: Final = "12345678"
HEAD: Final = "authentication; suite; protection; of"
MECHANISMS: Final = {
    0: "none",
    1: "low level",
    2: "HLS 2, usual AES-128",
    3: "HLS 3, MD5",
    4: "HLS 4, SHA-1",
    5: "HLS 5, GMAC",
    6: "HLS 6, SHA-256",
    7: "HLS 7, ECDSA",
}
KINDS: Final = {"AE": "tag, encryption", "A": "tag", "E": "encryption"}
_WITH: Final = "general-ciphering, {}"
FORMS: Final = {
    "clear": "none",
    "glo": "glo-",
    "ded": "ded-",
    "general-glo": "general-glo-",
    "general-ded": "general-ded-",
    "identified": _WITH.format("identified key"),
    "wrapped": _WITH.format("wrapped key"),
    "one-pass": _WITH.format("key agreed by C(1e,1s)"),
    "static-unified": _WITH.format("key agreed by C(0e,2s)"),
    "signing": "general-signing",
    "glo+signing": "general-signing around glo-",
    "identified+signing": "general-signing around general-ciphering",
}
"""Forms of protection by the name that the scripts of the peers know, and as the matrix says them."""


def _octets(what: str, size: int) -> bytes:
    return hashlib.sha384(b"of these tests: " + what.encode()).digest()[:size]


def _texts(suite: int) -> dict[str, str]:
    size = 32 if suite == 2 else 16
    return {name: _octets(f"{name} {suite}", size).hex() for name in ("guek", "gak", "kek")}


def _pairs(suite: int) -> dict[str, tuple[bytes, bytes]]:
    """Return private and public keys by side and use."""
    which, size = SecuritySuite(suite), 48 if suite == 2 else 32
    made: dict[str, tuple[bytes, bytes]] = {}
    for side, use in product(("client", "server"), ("signing", "agreement")):
        private = _octets(f"{side} {use} {suite}", size)
        pair: EcdsaKey | EcdhKey = (EcdsaKey if use == "signing" else EcdhKey)(which, private)
        made[f"{side} {use}"] = private, pair.public_key
    return made


def _keys(suite: int, own: str, other: str) -> dict[str, Any]:
    found: dict[str, Any] = {"suite": suite, "server_title": SERVER_TITLE.hex(), **_texts(suite)}
    if suite:
        pairs = _pairs(suite)
        found["signing"] = pairs[f"{own} signing"][0].hex()
        found["key_agreement"] = pairs[f"{own} agreement"][0].hex()
        found["peer_signing"] = pairs[f"{other} signing"][1].hex()
        found["peer_key_agreement"] = pairs[f"{other} agreement"][1].hex()
    return found


def keys_of_server(suite: int, client_title: bytes | None, **more: Any) -> Keys:
    """Return what the server has for a client of a suite."""
    return Keys.parse(_keys(suite, "server", "client") | {"client_title": client_title} | more)


def keys_of_simulator(suite: int) -> dict[str, Any]:
    """Return what a simulator of a suite has, octets in hexadecimal."""
    return _keys(suite, "server", "client")


@dataclass(frozen=True)
class SecurityCase:
    """One way.

    Args:
        client: Address of the client that opens its association like this.
        mechanism: Number of the authentication mechanism.
        suite: Security suite.
        form: One of FORMS.
        kinds: ``A``, ``E`` or both: what general and service-specific ciphering give.
        short_names: Whether objects have short names.
        hdlc: Whether it goes over HDLC, instead of the wrapper; addresses end with 127 there.
        change: The method of Security setup with which keys are changed.
    """

    client: int
    mechanism: int
    suite: int = 0
    form: str = "clear"
    kinds: str = "AE"
    short_names: bool = False
    hdlc: bool = False
    change: str = ""

    @property
    def row(self) -> str:
        """What it is called in its table of the matrix: a cell for each part of the head."""
        if self.change:
            return f"{self.change}; {self.suite}"
        suite = str(self.suite) if self.form != "clear" or self.mechanism in (5, 7) else "–"
        ciphered = self.form not in ("clear", "signing")
        return "; ".join(
            (
                MECHANISMS[self.mechanism],
                suite,
                FORMS[self.form],
                KINDS[self.kinds] if ciphered else "–",
            )
        )

    @property
    def secret(self) -> str | None:
        """Password, or secret of HLS."""
        return {0: None, 1: PASSWORD, 5: None, 7: None}.get(self.mechanism, SECRET)

    @property
    def client_title(self) -> bytes:
        """System title of the client; each way counts for itself."""
        return b"PEER" + self.client.to_bytes(4, "big")

    def association(self) -> dict[str, Any]:
        """Return what a server is told."""
        return {
            "client_title": self.client_title.hex(),
            "client": self.client,
            "mechanism": self.mechanism,
            "suite": self.suite,
            "secret": self.secret,
            "form": self.form,
            "kinds": self.kinds,
            "short_names": self.short_names,
            "hdlc": self.hdlc,
            "change": self.change,
        }

    def security(self) -> dict[str, Any]:
        """Return what a client of a peer is told."""
        return self.association() | {"keys": self.keys("client", "server")}

    def keys(self, own: str, other: str) -> dict[str, Any]:
        """Return the keys and titles that a side has, octets in hexadecimal."""
        return _keys(self.suite, own, other) | {"client_title": self.client_title.hex()}


def _cases(first: int, *ways: tuple[Any, ...], **more: bool) -> Iterator[SecurityCase]:
    for number, way in enumerate(ways):
        yield SecurityCase(first + number, *way, **more)


CLEAR: Final = tuple(_cases(20, *((number,) for number in (2, 3, 4, 5, 6)), (7, 1), (7, 2)))
"""Mechanisms without ciphering; without any, and with a password, are elsewhere."""

_SUITE_0: Final = (
    *((mechanism, 0, "glo") for mechanism in (0, 1, 2, 3, 4, 5, 6)),
    (5, 0, "glo", "A"),
    (5, 0, "glo", "E"),
    (1, 0, "ded"),
    (1, 0, "ded", "A"),
    (5, 0, "ded"),
    *((mechanism, 0, "general-glo") for mechanism in (0, 1, 2, 5)),
    (5, 0, "general-glo", "A"),
    (1, 0, "general-ded"),
    (5, 0, "identified"),
    (5, 0, "identified", "A"),
    (5, 0, "wrapped"),
)
_LATER: Final = (
    (5, "glo"),
    (5, "glo", "A"),
    (7, "glo"),
    (1, "ded"),
    (5, "general-glo"),
    (7, "general-glo"),
    (7, "general-glo", "A"),
    (1, "general-ded"),
    (7, "identified"),
    (7, "wrapped"),
    (7, "one-pass"),
    (7, "static-unified"),
    (7, "signing"),
    (7, "glo+signing"),
    (7, "identified+signing"),
)
CIPHERED: Final = tuple(
    _cases(40, *_SUITE_0, *((first, suite, *rest) for suite in (1, 2) for first, *rest in _LATER))
)
"""Ciphered associations with logical names over the wrapper."""

SHORT_NAMES: Final = tuple(
    _cases(
        110,
        *((mechanism,) for mechanism in (3, 4, 5, 6)),
        *((mechanism, 0, "glo") for mechanism in (0, 1, 5, 6)),
        (5, 0, "glo", "A"),
        (1, 0, "ded"),
        (5, 0, "general-glo"),
        (7, 1, "glo"),
        (7, 2, "glo"),
        short_names=True,
    )
)
"""With short names over the wrapper."""

KEY_CHANGES: Final = tuple(
    SecurityCase(130 + number, mechanism, suite, form, change=change)
    for number, (mechanism, suite, form, change) in enumerate(
        (
            (5, 0, "general-glo", "key_transfer"),
            (5, 1, "general-glo", "key_transfer"),
            (5, 2, "general-glo", "key_transfer"),
            (7, 1, "general-glo", "key_agreement"),
            (7, 2, "general-glo", "key_agreement"),
        )
    )
)
"""The global unicast and the authentication key are changed, and proved with the next association."""

HDLC: Final = (
    *_cases(
        100,
        (3,),
        (5,),
        (6,),
        (1, 0, "glo"),
        (5, 0, "glo"),
        (5, 0, "glo", "A"),
        (1, 0, "ded"),
        (5, 0, "general-glo"),
        (7, 1, "glo"),
        (7, 2, "identified+signing"),
        hdlc=True,
    ),
)
"""With logical names over HDLC."""

TABLES: Final = {
    "clear": CLEAR,
    "ciphered": CIPHERED,
    "short names": SHORT_NAMES,
    "HDLC": HDLC,
    "keys": KEY_CHANGES,
}
"""The tables of the matrix."""

SIMULATED: Final = (*CLEAR, *CIPHERED, *SHORT_NAMES, *HDLC)
"""What is tried at simulators, which change no keys."""

SECURITIES: Final = (*SIMULATED, *KEY_CHANGES)


def usual_function(claim: Claim) -> bytes:
    """Return what many meters answer in mechanism 2: the challenge under AES-128, block by block."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES128
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    challenge = claim.challenge + bytes(-len(claim.challenge) % 16)
    encryptor = Cipher(AES128(SECRET.encode()), ECB()).encryptor()  # noqa: S305 -- that is what they do
    return encryptor.update(challenge) + encryptor.finalize()


_F, _K = ProtectionForm, KeyUsed
LAYERS: Final = {
    "glo": ((_F.SERVICE_SPECIFIC, _K.GLOBAL_UNICAST),),
    "ded": ((_F.SERVICE_SPECIFIC, _K.DEDICATED),),
    "general-glo": ((_F.GENERAL_GLO, _K.GLOBAL_UNICAST),),
    "general-ded": ((_F.GENERAL_DED, _K.DEDICATED),),
    "identified": ((_F.GENERAL_CIPHERING, _K.GLOBAL_UNICAST),),
    "wrapped": ((_F.GENERAL_CIPHERING, _K.WRAPPED),),
    "one-pass": ((_F.GENERAL_CIPHERING, _K.ONE_PASS),),
    "static-unified": ((_F.GENERAL_CIPHERING, _K.STATIC_UNIFIED),),
    "signing": ((_F.GENERAL_SIGNING, _K.SIGNING),),
    "glo+signing": ((_F.GENERAL_SIGNING, _K.SIGNING), (_F.SERVICE_SPECIFIC, _K.GLOBAL_UNICAST)),
    "identified+signing": ((_F.GENERAL_SIGNING, _K.SIGNING), (_F.GENERAL_CIPHERING, _K.GLOBAL_UNICAST)),
}
"""The layers of the forms, outermost first."""


def _ciphering(case: SecurityCase) -> Ciphering | None:
    if case.form == "clear":
        return None
    kinds: dict[str, bool] = {"authenticated": "A" in case.kinds, "encrypted": "E" in case.kinds}
    untagged = case.kinds == "E"
    if case.form.removeprefix("general-") in ("glo", "ded"):
        general = case.form.startswith("general-")
        dedicated = case.form.endswith("ded")
        return Ciphering(**kinds, dedicated=dedicated, general=general, encryption_only=untagged)
    layers = tuple(LayerOptions(form, key, **kinds) for form, key in LAYERS[case.form])
    return Ciphering(options=SecurityOptions(layers))


def security_of_ours(case: SecurityCase, counters: CounterStore, client_title: bytes | None = None) -> Any:
    """Return what our client is given for one way; its title is that of the way, unless there is another."""
    keys = case.keys("client", "server")
    if client_title is not None:
        keys["client_title"] = client_title
    settings: dict[str, Any] = {
        "keys": Keys.parse(keys),
        "ciphering": _ciphering(case),
        "counters": counters,
    }
    match case.mechanism:
        case 0:
            return Ciphered(**settings)
        case 2:
            return HighManufacturer(usual_function, **settings)
        case 5:
            return HighGmac(**settings)
        case 7:
            return HighEcdsa(**settings)
    return {1: LowLevel, 3: HighMd5, 4: HighSha1, 6: HighSha256}[case.mechanism](case.secret, **settings)
