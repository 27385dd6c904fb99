"""Stand-ins for keys: a protection that scrambles octets, and both halves of an HLS mechanism."""

from __future__ import annotations

from cosem.errors import AuthenticationError, ReplayError, VerificationError

SERVER_TITLE = b"MMMSERVE"
CLIENT_TITLE = b"MMMCLIEN"
CTOS = b"client challenge"
STOC = b"server challenge"


class FakeProtection:
    """general-glo-ciphering in looks: four octets more, and contents that nobody reads by accident."""

    HEAD = b"\xdb\x55\xaa"

    def __init__(self, title: bytes | None = None) -> None:
        self.title = title
        self.protected = 0
        self.replayed = False
        self.held: bytes | None = None
        self.dedicated: bytes | None = None

    def protect(self, apdu: bytes, options: object = None) -> bytes:
        self.protected += 1
        body = bytes(octet ^ 0x5A for octet in apdu)
        return self.HEAD + body + bytes((sum(body) & 0xFF,))

    def unprotect(self, apdu: bytes) -> tuple[bytes, object]:
        if self.replayed:
            raise ReplayError(5, 77)
        body = apdu[3:-1]
        if apdu[:3] != self.HEAD or len(apdu) < 5 or sum(body) & 0xFF != apdu[-1]:
            raise VerificationError("no tag of ours")
        return bytes(octet ^ 0x5A for octet in body), "protected"

    def overhead(self, size: int, options: object = None) -> int:
        return 4

    def learn_peer_title(self, title: bytes) -> None:
        self.title = title

    def hold_dedicated_key(self, octets: bytes) -> None:
        self.held = octets

    def activate_dedicated_key(self) -> None:
        self.dedicated, self.held = self.held, None

    def forget(self) -> None:
        self.dedicated = self.held = None


class FakeServerHalf:
    """f(x) is x backwards."""

    def __init__(self, *, certificate: bool = True) -> None:
        self.certificate = certificate
        self.ctos = b""
        self.title: bytes | None = None

    def accepts_certificate(self, certificate: bytes | None) -> bool:
        return self.certificate

    def begin(self, client_challenge: bytes, client_title: bytes | None) -> bytes:
        if client_challenge == b"unusable challenge":
            raise AuthenticationError("not this one")
        self.ctos, self.title = client_challenge, client_title
        return STOC

    def reply(self, proof: bytes) -> bytes:
        if proof != STOC[::-1]:
            raise AuthenticationError("wrong")
        return self.ctos[::-1]


class FakeClientHalf:
    def __init__(self, ctos: bytes = CTOS) -> None:
        self.ctos = ctos
        self.seen: list[tuple[bytes, bytes | None]] = []

    def challenge(self) -> bytes:
        return self.ctos

    def answer(self, server_challenge: bytes, server_title: bytes | None) -> bytes:
        if not 8 <= len(server_challenge) <= 64:
            raise AuthenticationError("challenge too short or too long")
        self.seen.append((server_challenge, server_title))
        return server_challenge[::-1]

    def verify(self, proof: bytes) -> None:
        if proof != self.ctos[::-1]:
            raise AuthenticationError("the server is not who it says")
