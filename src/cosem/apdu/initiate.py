"""InitiateRequest and InitiateResponse: the xDLMS context that an association proposes and agrees on.

They travel in the user-information of AARQ, AARE, RLRQ and RLRE.
(IEC 62056-5-3, 7.3.1 and clause 8)
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cosem.codec.reader import Reader
from cosem.codec.sequence import sequence
from cosem.codec.wires import DefaultTrue, Integer8, Unsigned8, Unsigned16, VariableOctets, Wire
from cosem.types.enumerations import Conformance

__all__ = ["DLMS_VERSION", "InitiateRequest", "InitiateResponse"]

DLMS_VERSION = 6
"""The one version of xDLMS that COSEM uses."""

_HEAD = bytes.fromhex("5F1F0400")
_OLD_HEAD = bytes.fromhex("5F0400")


class _Conformance(Wire):
    """Conformance: BER in the midst of A-XDR; the one-octet tag of old meters is accepted, never sent."""

    __slots__ = ()
    smallest = 6

    def read(self, reader: Reader) -> Conformance:
        """Return the 24 bits."""
        start = reader.pos
        if reader.data.startswith(_HEAD, start):
            reader.take(len(_HEAD))
        elif reader.data.startswith(_OLD_HEAD, start):
            reader.finding("conformance-with-one-octet-tag")
            reader.take(len(_OLD_HEAD))
        else:
            reader.take(min(len(_HEAD), reader.left))
            reader.fail("conformance must begin with 5F 1F 04 00", start)
        return Conformance(reader.unsigned(3))

    def write(self, out: bytearray, value: Conformance) -> None:
        """Append tag, length, unused bits and the 24 bits."""
        out += _HEAD + int(value).to_bytes(3, "big")


_ConformanceField: TypeAlias = Annotated[Conformance, _Conformance()]


@sequence(0x01, name="initiateRequest")
class InitiateRequest:
    """initiateRequest [1]: what the client proposes.

    Attributes:
        dedicated_key: A key for this association alone; only where the APDU is ciphered.
        response_allowed: False makes the association unconfirmed: no answer comes.
        proposed_quality_of_service: Not used.
        proposed_dlms_version_number: 6.
        proposed_conformance: The services that the client would use.
        client_max_receive_pdu_size: Longest APDU that the client takes, octets; 0 no limit, 1..11 reserved.
    """

    dedicated_key: VariableOctets | None = None
    response_allowed: Annotated[bool, DefaultTrue()] = True
    proposed_quality_of_service: Integer8 | None = None
    proposed_dlms_version_number: Unsigned8 = DLMS_VERSION
    proposed_conformance: _ConformanceField = Conformance(0)
    client_max_receive_pdu_size: Unsigned16 = 0

    def __repr__(self) -> str:
        """Return everything but the key."""
        key = None if self.dedicated_key is None else "***"
        return (
            f"InitiateRequest(dedicated_key={key}, response_allowed={self.response_allowed},"
            f" proposed_quality_of_service={self.proposed_quality_of_service},"
            f" proposed_dlms_version_number={self.proposed_dlms_version_number},"
            f" proposed_conformance={self.proposed_conformance!r},"
            f" client_max_receive_pdu_size={self.client_max_receive_pdu_size})"
        )


@sequence(0x08, name="initiateResponse")
class InitiateResponse:
    """initiateResponse [8]: what the server agrees to.

    Attributes:
        negotiated_quality_of_service: Not used.
        negotiated_dlms_version_number: 6.
        negotiated_conformance: The services that may be used.
        server_max_receive_pdu_size: Longest APDU that the server takes, octets; 0 no limit, 1..11 reserved.
        vaa_name: 0007 with logical names; the base name of the Association SN (FA00) with short names.
    """

    negotiated_quality_of_service: Integer8 | None = None
    negotiated_dlms_version_number: Unsigned8 = DLMS_VERSION
    negotiated_conformance: _ConformanceField = Conformance(0)
    server_max_receive_pdu_size: Unsigned16 = 0
    vaa_name: Unsigned16 = 0x0007
