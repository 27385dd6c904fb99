"""The client's half of HLS: challenge, answer, verify (IEC 62056-5-3, 5.3.3 and 7.2.4)."""

from __future__ import annotations

from cosem.errors import AuthenticationError, StateError
from cosem.security.authentication.claim import (
    Claim,
    HlsMechanism,
    RandomOctets,
    check_challenge,
    check_size,
    new_challenge,
)
from cosem.types.enumerations import AuthenticationMechanism

__all__ = ["ClientHls"]


class ClientHls:
    """Runs the client's half of a mechanism; what ``cosem.association`` calls a client authenticator.

    A challenge serves one association: the steps go in one order, and :meth:`challenge` begins again.

    Args:
        mechanism: How challenges are answered.
        random_octets: Where challenges come from.
        client_title: System title of the client, for mechanisms 5 to 7.
        server_title: System title of the meter, where it is known before it says so; then it must not say another.
        challenge_size: Octets of the challenge; by default 16, with ECDSA 32.
        printable: Challenges of letters and digits, for meters that take no others.

    Raises:
        ConfigurationError: The mechanism does not allow challenges of this length.
    """

    __slots__ = (
        "_answer",
        "_challenge",
        "_client_title",
        "_hls",
        "_printable",
        "_random",
        "_server_title",
        "_size",
    )

    def __init__(
        self,
        mechanism: HlsMechanism,
        random_octets: RandomOctets,
        *,
        client_title: bytes | None = None,
        server_title: bytes | None = None,
        challenge_size: int | None = None,
        printable: bool = False,
    ) -> None:
        self._hls = mechanism
        self._random = random_octets
        self._client_title = client_title
        self._server_title = server_title
        self._size = check_size(mechanism.mechanism, challenge_size)
        self._printable = printable
        self._challenge: bytes | None = None
        self._answer: Claim | None = None

    @property
    def mechanism(self) -> AuthenticationMechanism:
        """Which mechanism it runs."""
        return self._hls.mechanism

    def challenge(self) -> bytes:
        """Return CtoS, fresh."""
        self._answer = None
        self._challenge = new_challenge(self._random, self._size, printable=self._printable)
        return self._challenge

    def answer(self, server_challenge: bytes, server_title: bytes | None) -> bytes:
        """Return f(StoC), pass 3.

        Args:
            server_challenge: StoC, out of the AARE.
            server_title: The system title in the AARE, if there was one.

        Raises:
            AuthenticationError: The challenge is too short, too long or our own; the title is another than
                that of the meter, or is needed and not known.
            StateError: There is no challenge of ours that could have been answered.
        """
        own, self._challenge = self._challenge, None
        if own is None:
            raise StateError("no challenge was sent", "an answer to the server's challenge")
        check_challenge(self._hls.mechanism, server_challenge, own)
        title = self._title_of_server(server_title)
        self._hls.prepare(title)
        proof = self._hls.prove(Claim(bytes(server_challenge), own, self._client_title, title))
        self._answer = Claim(own, bytes(server_challenge), title, self._client_title)
        return proof

    def verify(self, proof: bytes) -> None:
        """Check f(CtoS), pass 4; there is no second try.

        Raises:
            AuthenticationError: It is not what the server should have sent.
            ReplayError: It has a counter that was used before.
            StateError: Pass 3 was not made.
        """
        claim, self._answer = self._answer, None
        if claim is None:
            raise StateError("no proof was sent", "the check of the server's proof")
        self._hls.check(claim, proof)

    def _title_of_server(self, received: bytes | None) -> bytes | None:
        known = self._server_title
        if received is not None and known is not None and received != known:
            raise AuthenticationError("the system title in the answer is not that of the meter")
        return known if received is None else bytes(received)
