"""The mechanisms of HLS: how a challenge is answered (IEC 62056-5-3, 5.3.3; later editions for 6 and 7).

With S the secret, X the challenge that is answered, Y the proving side's own
challenge, P the title of the proving side and Q that of the other:

==  =============  ==========================================================
2   manufacturer   a function of the user's
3   MD5            MD5(X ‖ S), legacy
4   SHA-1          SHA-1(X ‖ S), legacy
5   GMAC           SC ‖ IC ‖ GMAC(SC ‖ AK ‖ X), nonce P ‖ IC, global key
6   SHA-256        SHA-256(S ‖ P ‖ Q ‖ X ‖ Y)
7   ECDSA          signature of P ‖ Q ‖ X ‖ Y
==  =============  ==========================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from cosem.errors import AuthenticationError, ConfigurationError, DecodeError, VerificationError
from cosem.security.authentication.claim import Claim, proof_refused
from cosem.security.counters import InvocationCounter, ReplayGuard
from cosem.security.key_material import Secret
from cosem.security.suites import TAG_SIZE, SecurityControl, SecuritySuite
from cosem.types.enumerations import AuthenticationMechanism

if TYPE_CHECKING:
    from cosem.security.gcm import GcmKey
    from cosem.security.signing import SigningKey

__all__ = [
    "DigestMechanism",
    "EcdsaMechanism",
    "GmacMechanism",
    "ManufacturerMechanism",
    "password_matches",
]

_M = AuthenticationMechanism
_PROOF_SIZE: Final = 1 + 4 + TAG_SIZE
_CLEAR_APDUS: Final = frozenset(
    bytes((tag,)) for tag in bytes.fromhex("01050608 0C0D0F101618 C0C1C2C3C4C5C7 D9DA")
)
"""The first octets of what says something in a ciphering layer: errors are taken in clear as well."""


def password_matches(expected: bytes | Secret | None, received: bytes) -> bool:
    """Return whether a password of LLS is the right one, in a time that tells neither it nor its length.

    Args:
        expected: The password; ``None`` where there is none, and then nothing matches.
        received: What the client sent.
    """
    octets = expected.octets if isinstance(expected, Secret) else expected
    mine = hashlib.sha256(b"" if octets is None else octets).digest()
    return compare_digest(mine, hashlib.sha256(received).digest()) and octets is not None


class _Symmetric:
    """A mechanism in which both sides compute the same octets."""

    __slots__ = ()

    def prepare(self, peer_title: bytes | None) -> None:
        """Do nothing: there is no state."""

    def prove(self, claim: Claim) -> bytes:
        """Return the proof of a claim."""
        raise NotImplementedError

    def check(self, claim: Claim, proof: bytes) -> None:
        """Compare the proof with our own, in constant time.

        Raises:
            AuthenticationError: It is another.
        """
        if not compare_digest(self.prove(claim), proof):
            raise proof_refused()

    def takes_certificate(self, certificate: bytes | None) -> bool:
        """Return True: certificates play no part."""
        del certificate
        return True


class ManufacturerMechanism(_Symmetric):
    """Mechanism 2: a function that the manufacturer of the meter keeps to itself.

    Args:
        function: Returns the proof of a claim; the server computes the same to compare.
        verify: Returns whether a proof is right, where computing and comparing is not the way.
    """

    __slots__ = ("_function", "_verify")
    mechanism: Final = _M.HLS

    def __init__(
        self, function: Callable[[Claim], bytes], verify: Callable[[Claim, bytes], bool] | None = None
    ) -> None:
        self._function = function
        self._verify = verify

    def prove(self, claim: Claim) -> bytes:
        """Return what the function returns."""
        return bytes(self._function(claim))

    def check(self, claim: Claim, proof: bytes) -> None:
        """Check the proof.

        Raises:
            AuthenticationError: It is not the proof.
        """
        if self._verify is None:
            super().check(claim, proof)
        elif not self._verify(claim, proof):
            raise proof_refused()


def _md5(secret: bytes, claim: Claim) -> bytes:
    return hashlib.md5(claim.challenge + secret, usedforsecurity=False).digest()


def _sha1(secret: bytes, claim: Claim) -> bytes:
    return hashlib.sha1(claim.challenge + secret, usedforsecurity=False).digest()


def _sha256(secret: bytes, claim: Claim) -> bytes:
    return hashlib.sha256(secret + claim.titles() + claim.challenge + claim.own_challenge).digest()


_FORMULAS: Final[Mapping[AuthenticationMechanism, Callable[[bytes, Claim], bytes]]] = {
    _M.HLS_MD5: _md5,
    _M.HLS_SHA1: _sha1,
    _M.HLS_SHA256: _sha256,
}


class DigestMechanism(_Symmetric):
    """Mechanisms 3, 4 and 6: a digest over challenge and secret.

    >>> claim = Claim(b"P6wRJ21F", b"K56iVagY")
    >>> secret = Secret.parse("hex:00112233445566778899AABBCCDDEEFF")
    >>> DigestMechanism(AuthenticationMechanism.HLS_MD5, secret).prove(claim).hex()
    'b6c3f5a6806f2c207988731bf3f1ec9b'

    Args:
        mechanism: HLS_MD5, HLS_SHA1 or HLS_SHA256.
        secret: The HLS secret.

    Raises:
        ConfigurationError: Another mechanism.
    """

    __slots__ = ("_secret", "mechanism")

    def __init__(self, mechanism: AuthenticationMechanism, secret: Secret) -> None:
        if mechanism not in _FORMULAS:
            raise ConfigurationError(f"{mechanism} is no digest")
        self.mechanism = mechanism
        self._secret = secret

    def prove(self, claim: Claim) -> bytes:
        """Return the digest.

        Raises:
            AuthenticationError: Mechanism 6, and a title is not known.
        """
        return _FORMULAS[self.mechanism](self._secret.octets, claim)


def _is_apdu(octets: bytes) -> bool:
    """Return whether octets are a clear request, answer or notification, and nothing behind it."""
    if octets[:1] not in _CLEAR_APDUS:
        return False
    from cosem.apdu import decode

    try:
        decode(octets)
    except DecodeError:
        return False
    return True


class GmacMechanism:
    """Mechanism 5: a GMAC under the global unicast encryption key, with the counter of that key.

    The counter in a proof is compared with what was acceptable when the challenges were exchanged: the
    proof may travel in a ciphered APDU, whose later counter is seen first.

    Args:
        suite: Security suite, goes into the security control octet.
        key: The global unicast encryption key with the authentication key.
        counter: That of what this side sends under the key.
        guard: Makes the guard of what a peer of this title sends; ``None`` to look at no counters.
    """

    __slots__ = ("_control", "_counter", "_guard", "_guard_of", "_key", "_least")
    mechanism: Final = _M.HLS_GMAC

    def __init__(
        self,
        suite: int,
        key: GcmKey,
        counter: InvocationCounter,
        guard: Callable[[bytes], ReplayGuard] | None = None,
    ) -> None:
        self._control = int(SecurityControl.build(suite, authenticated=True))
        self._key = key
        self._counter = counter
        self._guard_of = guard
        self._guard: ReplayGuard | None = None
        self._least = 0

    def prepare(self, peer_title: bytes | None) -> None:
        """Take note of the counter that is acceptable now."""
        if self._guard_of is not None and peer_title is not None:
            self._guard = self._guard_of(peer_title)
            self._least = self._guard.lowest_acceptable

    def prove(self, claim: Claim) -> bytes:
        """Return SC ‖ IC ‖ tag, 17 octets.

        Raises:
            AuthenticationError: The title of this side is not known.
            CounterExhausted: There is no counter left.
        """
        claim.titles()
        if _is_apdu(claim.challenge):
            # The proof is also the tag of an APDU that is authenticated and not encrypted, if there is one with
            # these octets: whoever chose the challenge could have us authenticate it.
            raise AuthenticationError("the challenge of the other side is a message that would pass for ours")
        count = self._counter.next().to_bytes(4, "big")
        nonce = bytes(claim.prover_title or b"") + count
        return bytes((self._control,)) + count + self._key.seal(self._control, nonce, b"", claim.challenge)

    def check(self, claim: Claim, proof: bytes) -> None:
        """Check the tag, then the counter.

        Raises:
            AuthenticationError: It is not the proof.
            ReplayError: The counter was used before.
        """
        claim.titles()
        if len(proof) != _PROOF_SIZE or proof[0] != self._control:
            raise proof_refused()
        nonce = bytes(claim.prover_title or b"") + proof[1:5]
        try:
            self._key.open(self._control, nonce, proof[5:], claim.challenge)
        except VerificationError:
            raise proof_refused() from None
        if self._guard is not None:
            count = int.from_bytes(proof[1:5], "big")
            self._guard.check(count, self._least)
            self._guard.note(count)

    def takes_certificate(self, certificate: bytes | None) -> bool:
        """Return True: certificates play no part."""
        del certificate
        return True


class EcdsaMechanism:
    """Mechanism 7: a signature with the signing key of the proving side.

    Args:
        key: The signing key of this side.
        peer_public_key: x ‖ y of the other side; ``None`` where its certificate brings it.
        public_key_of: Returns the public key in a certificate, or ``None`` if the certificate is not
            to be trusted. Without it certificates are not looked at.

    Raises:
        ConfigurationError: There is no way to learn the public key of the other side.
    """

    __slots__ = ("_key", "_peer", "_public_key_of")
    mechanism: Final = _M.HLS_ECDSA

    def __init__(
        self,
        key: SigningKey,
        peer_public_key: bytes | None = None,
        public_key_of: Callable[[bytes], bytes | None] | None = None,
    ) -> None:
        if peer_public_key is None and public_key_of is None:
            raise ConfigurationError(
                "ECDSA needs the public key of the other side, or a way to check its certificate"
            )
        self._key = key
        self._peer = None if peer_public_key is None else bytes(peer_public_key)
        self._public_key_of = public_key_of

    def prepare(self, peer_title: bytes | None) -> None:
        """Do nothing: there are no counters."""

    def prove(self, claim: Claim) -> bytes:
        """Return the signature r ‖ s: 64 octets in suite 1, 96 octets in suite 2.

        Raises:
            AuthenticationError: A title is not known.
        """
        return self._key.sign(_signed(claim))

    def check(self, claim: Claim, proof: bytes) -> None:
        """Check the signature.

        Raises:
            AuthenticationError: It is not the proof, or the public key is not known.
        """
        from cosem.security.signing import verify_signature

        signed = _signed(claim)
        if self._peer is None:
            raise AuthenticationError("the public key of the other side is not known")
        try:
            verify_signature(SecuritySuite(self._key.suite), self._peer, proof, signed)
        except VerificationError:
            raise proof_refused() from None

    def takes_certificate(self, certificate: bytes | None) -> bool:
        """Return whether the public key is known now; one that was configured must be that of the certificate."""
        if certificate is None or self._public_key_of is None:
            return self._peer is not None
        found = self._public_key_of(certificate)
        if found is None or (self._peer is not None and bytes(found) != self._peer):
            return False
        self._peer = bytes(found)
        return True


def _signed(claim: Claim) -> bytes:
    return claim.titles() + claim.challenge + claim.own_challenge
