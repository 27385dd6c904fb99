"""The ways to authenticate and cipher that both sides are tried with, and the keys for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from cosem.client.ciphering import Ciphering
from cosem.client.security import Ciphered, HighGmac, HighMd5, HighSha1, HighSha256, LowLevel
from cosem.security.counters import CounterStore
from cosem.security.keys import Keys

__all__ = ["KEYS", "SECURITIES", "SERVER_TITLE", "SecurityCase", "security_of_ours"]

SERVER_TITLE: Final = b"COS\x01\x02\x03\x04\x05"
KEYS: Final = {
    "guek": bytes.fromhex("5A0E1B7C93F84D2261B7E0A94C3D8F16"),
    "gak": bytes.fromhex("C3917FE25B08D64AA91E7720B53C6F8D"),
}


@dataclass(frozen=True)
class SecurityCase:
    """One way.

    Args:
        title: What it is called in the matrix.
        client: Address of the client that opens its association like this.
        mechanism: Number of the authentication mechanism.
        secret: Password, or secret of HLS.
        ciphered: Whether the application context has ciphering.
        dedicated: Whether a dedicated key is used.
        general: Whether the general forms are used.
    """

    title: str
    client: int
    mechanism: int
    secret: str | None = None
    ciphered: bool = False
    dedicated: bool = False
    general: bool = False

    def association(self) -> dict[str, Any]:
        """Return what a server is told."""
        return {
            "client": self.client,
            "mechanism": self.mechanism,
            "secret": self.secret,
            "ciphered": self.ciphered,
        }

    def security(self, client_title: bytes) -> dict[str, Any]:
        """Return what a client of a peer is told."""
        return {
            "mechanism": self.mechanism,
            "secret": self.secret,
            "ciphered": self.ciphered,
            "dedicated": self.dedicated,
            "general": self.general,
            "title": client_title.hex(),
            "server_title": SERVER_TITLE.hex(),
            "guek": KEYS["guek"].hex(),
            "gak": KEYS["gak"].hex(),
        }


SECURITIES: Final = (
    SecurityCase("HLS 3, MD5", 33, 3, "sesame, open the meter"),
    SecurityCase("HLS 4, SHA-1", 34, 4, "sesame, open the meter"),
    SecurityCase("HLS 5, GMAC", 35, 5),
    SecurityCase("HLS 6, SHA-256", 36, 6, "sesame, open the meter"),
    SecurityCase("no authentication; ciphered", 37, 0, None, ciphered=True),
    SecurityCase("low level security; ciphered", 38, 1, "12345678", ciphered=True),
    SecurityCase("HLS 3, MD5; ciphered", 39, 3, "sesame, open the meter", ciphered=True),
    SecurityCase("HLS 4, SHA-1; ciphered", 40, 4, "sesame, open the meter", ciphered=True),
    SecurityCase("HLS 5, GMAC; ciphered", 41, 5, None, ciphered=True),
    SecurityCase("HLS 6, SHA-256; ciphered", 42, 6, "sesame, open the meter", ciphered=True),
    SecurityCase(
        "low level security; ciphered with a dedicated key", 43, 1, "12345678", ciphered=True, dedicated=True
    ),
    SecurityCase("HLS 5, GMAC; ciphered with a dedicated key", 44, 5, None, ciphered=True, dedicated=True),
    SecurityCase("HLS 5, GMAC; ciphered in the general form", 45, 5, None, ciphered=True, general=True),
)
"""In the order of the matrix. Ciphered means suite 0, with tag and encryption, in both directions."""


def security_of_ours(case: SecurityCase, client_title: bytes, counters: CounterStore) -> Any:
    """Return what our client is given for one way."""
    ciphering = Ciphering(dedicated=case.dedicated, general=case.general) if case.ciphered else None
    keys = Keys.parse(client_title=client_title, server_title=SERVER_TITLE, **KEYS)
    settings: dict[str, Any] = {"keys": keys, "ciphering": ciphering, "counters": counters}
    if case.mechanism == 0:
        return Ciphered(**settings)
    if case.mechanism == 5:
        return HighGmac(**settings)
    return {1: LowLevel, 3: HighMd5, 4: HighSha1, 6: HighSha256}[case.mechanism](case.secret, **settings)
