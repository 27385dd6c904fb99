"""What a server supports for one pair of addresses, and the hooks through which keys come in.

(IEC 62056-5-3, 6.3, 7.2.4, 7.3.1)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cosem.association.block_transfer import DEFAULT_WINDOW
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.errors import ConfigurationError
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance

if TYPE_CHECKING:
    from cosem.association.short_names.table import ShortNameTable

__all__ = ["AssociationProfile", "ServerAuthenticator", "ServerLimits", "ServerProtection"]


class ServerAuthenticator(Protocol):
    """The server's half of one HLS mechanism for one association; secrets and randomness are its own."""

    def accepts_certificate(self, certificate: bytes | None) -> bool:
        """Return whether the certificate in the AARQ, or its absence, is good enough for the mechanism."""
        ...

    def begin(self, client_challenge: bytes, client_title: bytes | None) -> bytes:
        """Take CtoS and the client's system title, and return StoC, fresh for each association.

        Raises:
            AuthenticationError: The challenge cannot be used.
        """
        ...

    def reply(self, proof: bytes) -> bytes:
        """Check f(StoC), pass 3, and return f(CtoS), pass 4.

        Raises:
            SecurityError: It is not what the client should have sent.
        """
        ...


class ServerProtection(Protocol):
    """Protects and unprotects the APDUs of one association; knows keys, titles, counters and policy."""

    def unprotect(self, apdu: bytes) -> tuple[bytes, Any]:
        """Return the clear octets of a protected APDU and what was verified.

        Raises:
            SecurityError: It is not genuine, or has less protection than the policy demands.
        """
        ...

    def protect(self, apdu: bytes, options: Any = None) -> bytes:
        """Return the protected octets of a clear APDU.

        Args:
            apdu: The clear octets.
            options: How; what :meth:`unprotect` found in the request asks for an answer in kind.
        """
        ...

    def overhead(self, size: int, options: Any = None) -> int:
        """Return how many octets the protection adds to a clear APDU of ``size`` octets.

        Args:
            size: Octets of the clear APDU.
            options: As for :meth:`protect`.
        """
        ...

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take the dedicated key in the InitiateRequest, for later.

        Raises:
            ConfigurationError: It has not the length of the suite.
        """
        ...

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key from now on, if there is one: the client has proved who it is."""
        ...


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one association may cost.

    Args:
        reassembly: Octets of all unfinished long requests together.
        answer: Octets of one long answer.
        empty_blocks: Blocks without octets in a row.
        transfer: Seconds that a long transfer may take besides what its octets need at the slowest rate.
        slowest: Octets each second of the slowest line that long transfers are served over: one of 300 baud has 30.
        progress: Seconds from one block to the next.
        pending: Seconds that the HLS passes may take.
        forgeries: Requests in a row that cannot be deciphered and are answered; more are dropped in silence.
    """

    reassembly: int = 1024 * 1024
    answer: int = 16 * 1024 * 1024
    empty_blocks: int = 16
    transfer: float = 120.0
    slowest: float = 25.0
    progress: float = 30.0
    pending: float = 30.0
    forgeries: int = 16

    def end_of(self, began: float, moved: float, octets: int) -> float:
        """Return when a long transfer is given up.

        Args:
            began: When it began, monotonic seconds.
            moved: When its last block came.
            octets: How many have arrived so far, here or there.

        >>> ServerLimits().end_of(0.0, 100.0, 0), ServerLimits().end_of(0.0, 100.0, 100_000)
        (120.0, 130.0)
        """
        return min(began + self.transfer + octets / self.slowest, moved + self.progress)


@dataclass(frozen=True, slots=True)
class AssociationProfile:
    """One association that a logical device supports: what the AARQ must ask for, and what it gets.

    Args:
        client_sap: Address of the client; 16 is the public client.
        application_context: Logical or short names, with or without ciphering.
        mechanism: How the client proves who it is.
        conformance: The services that this association gives.
        secret: Returns the password of LLS. A function, since a client may change it.
        max_receive_pdu_size: Longest APDU that the server takes, octets; 0 means no limit.
        max_send_pdu_size: Longest APDU that the server sends, octets; 0 means as long as the client takes.
        smallest_client_pdu_size: A client that takes less is refused; 1..11 are reserved anyway.
        system_title: Of the server, 8 octets; sent where titles are needed.
        client_system_title: The one title that is accepted; ``None`` for any.
        users: Returns the client user ids that may associate; empty for no identification of users.
        authenticator: Makes the server's half of an HLS mechanism.
        protection: Makes the protection of the association with a client of this system title.
        protected_only: Whether clear requests are refused, the InitiateRequest included.
        counter_error_as_exception: Whether a low invocation counter in the AARQ is answered by the
            exception-response of the later editions, and not by an AARE.
        lenient_release: Whether a RLRQ without protection releases a ciphered association.
        pre_established: The association exists without being opened, and cannot be released.
        confirmed: Whether a pre-established association answers.
        client_max_receive_pdu_size: Longest APDU that the client of a pre-established association takes.
        answer_class_bit_0: Whether a request is answered although its service class says unconfirmed:
            in HDLC, I frames of clients of older editions.
        block_window: Blocks of a general block transfer that the server takes at once, 1..63.
        repeat_blocks: Whether the block last sent is sent again when asked for again: over datagrams.
        short_names: Returns the base names of the objects that the client sees; only with short names.
            It is asked for each variable: keep the table while the objects stay the same.

    Raises:
        ConfigurationError: Parameters that contradict each other.
    """

    client_sap: int = 16
    application_context: ApplicationContext = ApplicationContext.LN
    mechanism: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    conformance: Conformance = ALL_SERVICES_LN
    secret: Callable[[], bytes | None] | None = field(default=None, repr=False)
    max_receive_pdu_size: int = 0xFFFF
    max_send_pdu_size: int = 0
    smallest_client_pdu_size: int = 12
    system_title: bytes | None = None
    client_system_title: bytes | None = None
    users: Callable[[], frozenset[int]] | None = None
    authenticator: Callable[[], ServerAuthenticator] | None = field(default=None, repr=False)
    protection: Callable[[bytes | None], ServerProtection] | None = field(default=None, repr=False)
    protected_only: bool = False
    counter_error_as_exception: bool = True
    lenient_release: bool = False
    pre_established: bool = False
    confirmed: bool = True
    client_max_receive_pdu_size: int = 0
    answer_class_bit_0: bool = False
    repeat_blocks: bool = False
    block_window: int = DEFAULT_WINDOW
    short_names: Callable[[], ShortNameTable] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.mechanism is AuthenticationMechanism.LLS and self.secret is None:
            raise ConfigurationError("LLS needs a password")
        if self.mechanism > AuthenticationMechanism.LLS and self.authenticator is None:
            raise ConfigurationError(f"{self.mechanism} needs an authenticator")
        if self.application_context.ciphered and self.protection is None:
            raise ConfigurationError(f"application context {self.application_context} needs keys")
        if self.pre_established and self.mechanism is not AuthenticationMechanism.LOWEST:
            raise ConfigurationError("a pre-established association has no authentication")
        if 1 <= self.max_receive_pdu_size <= 11 or 1 <= self.max_send_pdu_size <= 11:
            raise ConfigurationError("PDU sizes 1..11 are reserved")
        if not 1 <= self.block_window <= 63:
            raise ConfigurationError(f"a window of {self.block_window} blocks is outside 1..63")
        for title in (self.system_title, self.client_system_title):
            if title is not None and len(title) != 8:
                raise ConfigurationError(f"a system title has 8 octets, not {len(title)}")

    @property
    def needs_client_title(self) -> bool:
        """Whether the client's system title is needed: with ciphering, GMAC, SHA-256 and ECDSA."""
        return self.application_context.ciphered or self.mechanism >= AuthenticationMechanism.HLS_GMAC

    def is_asked_for_like(self, other: AssociationProfile) -> bool:
        """Return whether one AARQ would ask for this and for the other alike."""
        return (self.client_sap, self.application_context, self.mechanism) == (
            other.client_sap,
            other.application_context,
            other.mechanism,
        )
