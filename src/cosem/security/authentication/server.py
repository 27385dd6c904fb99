"""The server's half of HLS: begin, reply (IEC 62056-5-3, 5.3.3 and 7.2.4)."""

from __future__ import annotations

from cosem.errors import AuthenticationError
from cosem.security.authentication.claim import (
    Claim,
    HlsMechanism,
    RandomOctets,
    check_challenge,
    check_size,
    new_challenge,
)
from cosem.types.enumerations import AuthenticationMechanism

__all__ = ["ServerHls"]


class ServerHls:
    """Runs the server's half of a mechanism; what ``cosem.association`` calls a server authenticator.

    One serves one association, and one guess: :meth:`reply` forgets the challenge whatever comes.

    Args:
        mechanism: How challenges are answered.
        random_octets: Where challenges come from.
        server_title: System title of the server, for mechanisms 5 to 7.
        challenge_size: Octets of the challenge; by default 16, with ECDSA 32.
        printable: Challenges of letters and digits, for clients that take no others.

    Raises:
        ConfigurationError: The mechanism does not allow challenges of this length.
    """

    __slots__ = ("_hls", "_pending", "_printable", "_random", "_server_title", "_size")

    def __init__(
        self,
        mechanism: HlsMechanism,
        random_octets: RandomOctets,
        *,
        server_title: bytes | None = None,
        challenge_size: int | None = None,
        printable: bool = False,
    ) -> None:
        self._hls = mechanism
        self._random = random_octets
        self._server_title = server_title
        self._size = check_size(mechanism.mechanism, challenge_size)
        self._printable = printable
        self._pending: Claim | None = None

    @property
    def mechanism(self) -> AuthenticationMechanism:
        """Which mechanism it runs."""
        return self._hls.mechanism

    def accepts_certificate(self, certificate: bytes | None) -> bool:
        """Return whether the certificate in the AARQ, or its absence, is good enough for the mechanism."""
        return self._hls.takes_certificate(certificate)

    def begin(self, client_challenge: bytes, client_title: bytes | None) -> bytes:
        """Take CtoS and the title of the client, and return StoC, fresh.

        Raises:
            AuthenticationError: The challenge is too short or too long.
        """
        self._pending = None
        check_challenge(self._hls.mechanism, client_challenge)
        challenge = new_challenge(self._random, self._size, printable=self._printable)
        check_challenge(self._hls.mechanism, challenge, bytes(client_challenge))
        self._hls.prepare(client_title)
        self._pending = Claim(challenge, bytes(client_challenge), client_title, self._server_title)
        return challenge

    def reply(self, proof: bytes) -> bytes:
        """Check f(StoC), pass 3, and return f(CtoS), pass 4.

        Raises:
            AuthenticationError: It is not what the client should have sent, or no challenge waits for it.
            ReplayError: It has a counter that was used before.
        """
        claim, self._pending = self._pending, None
        if claim is None:
            raise AuthenticationError("no challenge waits for a proof")
        self._hls.check(claim, proof)
        return self._hls.prove(
            Claim(claim.own_challenge, claim.challenge, claim.verifier_title, claim.prover_title)
        )
