"""What a proof in HLS is about, and the rules of challenges (IEC 62056-5-3, 5.3.3).

Each side proves who it is by answering the other's challenge. Seen from whoever
proves, passes 3 and 4 are the same, so that every mechanism is written once::

    pass 3   the client answers StoC: f(StoC)
    pass 4   the server answers CtoS: f(CtoS)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, Protocol

from cosem.errors import AuthenticationError, ConfigurationError
from cosem.types.enumerations import AuthenticationMechanism

__all__ = [
    "CHALLENGE_SIZES",
    "Claim",
    "HlsMechanism",
    "RandomOctets",
    "challenge_sizes",
    "check_challenge",
    "check_size",
    "new_challenge",
    "proof_refused",
]

RandomOctets = Callable[[int], bytes]
"""Returns as many random octets as it is asked for, from the best source there is."""

CHALLENGE_SIZES: Final = (8, 64)
"""Shortest and longest challenge, octets; with ECDSA the shortest has 32."""

_ECDSA_SHORTEST: Final = 32
_USUAL: Final = 16
_PRINTABLE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"


@dataclass(frozen=True, slots=True)
class Claim:
    """That one side is who it says, as an answer to the other's challenge.

    Args:
        challenge: The challenge that is answered; the other side made it.
        own_challenge: The challenge that the proving side made.
        prover_title: System title of the proving side.
        verifier_title: System title of the other side.
    """

    challenge: bytes
    own_challenge: bytes
    prover_title: bytes | None = None
    verifier_title: bytes | None = None

    def titles(self) -> bytes:
        """Return both titles, that of the proving side first.

        Raises:
            AuthenticationError: One is not known.
        """
        if self.prover_title is None or self.verifier_title is None:
            raise AuthenticationError("the mechanism needs the system titles of both sides: one is not known")
        return self.prover_title + self.verifier_title


class HlsMechanism(Protocol):
    """One mechanism with its secrets, for one association; both sides use the same."""

    @property
    def mechanism(self) -> AuthenticationMechanism:
        """Which one."""
        ...

    def prepare(self, peer_title: bytes | None) -> None:
        """Take note that challenges are being exchanged with a peer, before its proof can have been made."""
        ...

    def prove(self, claim: Claim) -> bytes:
        """Return the proof of what this side claims.

        Raises:
            SecurityError: A title is not known, or there is no counter left.
        """
        ...

    def check(self, claim: Claim, proof: bytes) -> None:
        """Check the proof of what the other side claims.

        Raises:
            AuthenticationError: It is not the proof; the error is the same whatever is wrong with it.
            ReplayError: It is, under a counter that was used before.
        """
        ...

    def takes_certificate(self, certificate: bytes | None) -> bool:
        """Return whether the certificate that the peer sent, or its absence, is good enough."""
        ...


def challenge_sizes(mechanism: AuthenticationMechanism) -> tuple[int, int]:
    """Return the shortest and the longest challenge of a mechanism, octets."""
    shortest, longest = CHALLENGE_SIZES
    return (_ECDSA_SHORTEST if mechanism is AuthenticationMechanism.HLS_ECDSA else shortest), longest


def check_size(mechanism: AuthenticationMechanism, size: int | None) -> int:
    """Return how long our challenges are: ``size``, or the usual length of the mechanism.

    Raises:
        ConfigurationError: The mechanism does not allow it.
    """
    shortest, longest = challenge_sizes(mechanism)
    if size is None:
        return max(shortest, _USUAL)
    if not shortest <= size <= longest:
        raise ConfigurationError(f"a challenge of {size} octets: {mechanism} allows {shortest} to {longest}")
    return size


def check_challenge(mechanism: AuthenticationMechanism, challenge: bytes, own: bytes | None = None) -> None:
    """Refuse a challenge that must not be answered.

    Args:
        mechanism: Decides about the length.
        challenge: What the other side sent.
        own: Our own challenge, if it was sent already.

    Raises:
        AuthenticationError: It is too short, too long, or our own.
    """
    shortest, longest = challenge_sizes(mechanism)
    if not shortest <= len(challenge) <= longest:
        raise AuthenticationError(
            f"a challenge of {len(challenge)} octets: {mechanism} allows {shortest} to {longest}"
        )
    if own is not None and compare_digest(challenge, own):
        raise AuthenticationError("our own challenge was sent back")


def new_challenge(random_octets: RandomOctets, size: int, *, printable: bool = False) -> bytes:
    """Return a fresh challenge.

    Args:
        random_octets: Where it comes from.
        size: How many octets.
        printable: Letters, digits, ``+`` and ``-`` only: six random bits in each octet in place of eight.

    Raises:
        AuthenticationError: The source gave too few octets, or the same octet again and again.
    """
    octets = random_octets(size)
    if len(octets) != size or len(set(octets)) == 1:
        raise AuthenticationError("the source of random octets is broken")
    return bytes(_PRINTABLE[octet & 0x3F] for octet in octets) if printable else bytes(octets)


def proof_refused() -> AuthenticationError:
    """Return the one error of a proof that is none: it tells nobody what was wrong."""
    return AuthenticationError("the other side did not prove who it is")
