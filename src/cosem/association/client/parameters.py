"""What a client asks for when it opens an association, and what it got.

(IEC 62056-5-3, 6.3, 7.2.4 and 7.3.1)
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from cosem.apdu.initiate import DLMS_VERSION
from cosem.errors import ConfigurationError
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance

__all__ = [
    "ALL_SERVICES_LN",
    "ALL_SERVICES_SN",
    "AssociationParameters",
    "NegotiatedContext",
]

_C = Conformance
ALL_SERVICES_LN = (
    _C.DELTA_VALUE_ENCODING
    | _C.ATTRIBUTE0_SUPPORTED_WITH_SET
    | _C.PRIORITY_MGMT_SUPPORTED
    | _C.ATTRIBUTE0_SUPPORTED_WITH_GET
    | _C.GENERAL_BLOCK_TRANSFER
    | _C.BLOCK_TRANSFER_WITH_GET_OR_READ
    | _C.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | _C.BLOCK_TRANSFER_WITH_ACTION
    | _C.MULTIPLE_REFERENCES
    | _C.DATA_NOTIFICATION
    | _C.ACCESS
    | _C.GET
    | _C.SET
    | _C.SELECTIVE_ACCESS
    | _C.EVENT_NOTIFICATION
    | _C.ACTION
)
"""What our client proposes with logical names: all that it can use."""
ALL_SERVICES_SN = (
    _C.READ
    | _C.WRITE
    | _C.UNCONFIRMED_WRITE
    | _C.GENERAL_BLOCK_TRANSFER
    | _C.BLOCK_TRANSFER_WITH_GET_OR_READ
    | _C.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | _C.MULTIPLE_REFERENCES
    | _C.DATA_NOTIFICATION
    | _C.INFORMATION_REPORT
    | _C.PARAMETERIZED_ACCESS
)
"""What our client proposes with short names."""

_SMALLEST_PROPOSAL = 64
"""The standard reserves 1..11 (clause 8, InitiateRequest); servers in the field refuse whatever is below 64."""


@dataclass(frozen=True, slots=True)
class AssociationParameters:
    """The parameters of COSEM-OPEN.request.

    Args:
        client_sap: Client address, 1..255 in HDLC, 1..65535 in the wrapper; 16 is the public client.
        server_sap: Server address; 1 is the management logical device.
        application_context: Logical or short names, with or without ciphering.
        mechanism: How the client proves who it is.
        secret: Password of LLS, or HLS secret; never shown.
        calling_ap_title: System title of the client, 8 octets; needed with ciphering and mechanisms 5 to 7.
        calling_ae_qualifier: DER certificate of the client's signature key.
        calling_ae_invocation_identifier: Client user id, 0..255.
        conformance: The services proposed; ``None`` for all that we can use.
        client_max_receive_pdu_size: Longest APDU that we take, octets; 0 no limit, else at least 64: the standard
            reserves 1..11 only, but there are servers that refuse every proposal below 64.
        confirmed: False opens an unconfirmed association: no answer, only unconfirmed services.
        pre_established: The association exists without being opened, and cannot be released.
        dedicated_key: A key for this association alone, 16 or 32 octets; only with ciphering.
        hls_selector: Selector of the parameterized access that carries HLS passes 3 and 4 with short names: 0,
            as with every method, or 1, which some meters want.
        keeps_order: Whether the link below delivers everything once and in its order; datagrams do not.

    Raises:
        ConfigurationError: Parameters that contradict each other or are out of range.
    """

    client_sap: int = 16
    server_sap: int = 1
    application_context: ApplicationContext = ApplicationContext.LN
    mechanism: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    secret: bytes | None = None
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    calling_ae_invocation_identifier: int | None = None
    conformance: Conformance | None = None
    client_max_receive_pdu_size: int = 0xFFFF
    confirmed: bool = True
    pre_established: bool = False
    dedicated_key: bytes | None = None
    hls_selector: int = 0
    keeps_order: bool = True

    def __post_init__(self) -> None:
        for name, value in (("client", self.client_sap), ("server", self.server_sap)):
            if not 0 <= value <= 0xFFFF:
                raise ConfigurationError(f"{name} address {value} is outside 0..65535")
        size = self.client_max_receive_pdu_size
        if size and not _SMALLEST_PROPOSAL <= size <= 0xFFFF:
            raise ConfigurationError(
                f"PDU size {size} is neither 0 (no limit) nor {_SMALLEST_PROPOSAL}..65535;"
                " there are meters that refuse less"
            )
        if self.mechanism is AuthenticationMechanism.LLS and self.secret is None:
            raise ConfigurationError("LLS needs a password")
        if self.pre_established and self.mechanism is not AuthenticationMechanism.LOWEST:
            raise ConfigurationError("a pre-established association has no authentication")
        if not self.confirmed and self.mechanism > AuthenticationMechanism.LLS:
            raise ConfigurationError("an unconfirmed association allows no HLS: the server cannot answer")
        if self.dedicated_key is not None and not self.application_context.ciphered:
            raise ConfigurationError("a dedicated key needs an application context with ciphering")
        if self.hls_selector not in (0, 1):
            raise ConfigurationError(f"the selector of HLS is 0 or 1, not {self.hls_selector}")
        if self.calling_ap_title is not None and len(self.calling_ap_title) != 8:
            raise ConfigurationError(f"a system title has 8 octets, not {len(self.calling_ap_title)}")

    def __repr__(self) -> str:
        """Return the parameters that are no secret."""
        return (
            f"AssociationParameters(client_sap={self.client_sap}, server_sap={self.server_sap},"
            f" application_context={self.application_context!r}, mechanism={self.mechanism!r})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what holds no secret.

        Raises:
            TypeError: There is a password, a HLS secret or a dedicated key: it would be stored in clear.
        """
        if self.secret is not None or self.dedicated_key is not None:
            raise TypeError("secrets are not pickled: make the parameters where they are used")
        return type(self), tuple(getattr(self, each.name) for each in fields(self))

    @property
    def proposed_conformance(self) -> Conformance:
        """The services that go into the InitiateRequest."""
        if self.conformance is not None:
            return self.conformance
        return ALL_SERVICES_SN if self.application_context.short_names else ALL_SERVICES_LN


@dataclass(frozen=True, slots=True)
class NegotiatedContext:
    """What both sides agreed on (COSEM-OPEN.confirm).

    Args:
        conformance: The services that may be used.
        server_max_receive_pdu_size: Longest APDU that the server takes, octets; 0 means no limit.
        dlms_version: Always 6.
        vaa_name: 0007, or the base name of the Association SN.
        responding_ap_title: System title of the server, if it sent one.
        findings: Deviations from the standard in the answer.
    """

    conformance: Conformance
    server_max_receive_pdu_size: int = 0
    dlms_version: int = DLMS_VERSION
    vaa_name: int = 0x0007
    responding_ap_title: bytes | None = None
    findings: tuple[str, ...] = ()
