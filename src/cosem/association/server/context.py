"""What a server agreed to when an association was opened (IEC 62056-5-3, 7.3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from cosem.apdu.initiate import InitiateResponse
from cosem.association.referencing import LN_BITS, SN_BITS
from cosem.association.server.profile import AssociationProfile
from cosem.types.enumerations import Conformance

__all__ = ["NO_CONTEXT", "ServerContext", "bits_of", "initiate_response", "smaller"]

_SHORT_NAME_OF_ASSOCIATION: Final = 0xFA00


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What the server agreed to.

    Args:
        conformance: The services that may be used.
        client_max_receive_pdu_size: Longest APDU that the client takes, or that the server sends where that
            is less, octets; 0 means no limit.
        confirmed: Whether requests may be answered.
        user_id: Who the client says it is, where it says so.
        client_title: System title of the client.
        dedicated_key: Whether the client brought a key for this association.
    """

    conformance: Conformance
    client_max_receive_pdu_size: int = 0
    confirmed: bool = True
    user_id: int | None = None
    client_title: bytes | None = None
    dedicated_key: bool = False

    @classmethod
    def of_pre_established(cls, profile: AssociationProfile) -> Self:
        """Return the context of an association that was never negotiated."""
        return cls(
            profile.conformance & bits_of(profile),
            smaller(profile.client_max_receive_pdu_size, profile.max_send_pdu_size),
            profile.confirmed,
            None,
            profile.client_system_title,
        )


NO_CONTEXT: Final = ServerContext(Conformance(0))


def bits_of(profile: AssociationProfile) -> Conformance:
    """Return the conformance bits that mean something with the kind of names of this profile."""
    return SN_BITS if profile.application_context.short_names else LN_BITS


def smaller(one: int, other: int) -> int:
    """Return the smaller of two sizes of which 0 means no limit."""
    return min(one, other) if one and other else one or other


def initiate_response(profile: AssociationProfile, conformance: Conformance) -> InitiateResponse:
    """Return the InitiateResponse of a profile."""
    short = profile.application_context.short_names
    return InitiateResponse(
        negotiated_conformance=conformance,
        server_max_receive_pdu_size=profile.max_receive_pdu_size,
        vaa_name=_SHORT_NAME_OF_ASSOCIATION if short else 0x0007,
    )
