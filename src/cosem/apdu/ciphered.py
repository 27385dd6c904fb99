"""Envelopes of protected APDUs, as they look from outside; :mod:`cosem.security` opens them.

glo- and ded- forms carry a tag of their own for each service; the general forms
carry any APDU, and name whose title and which key protect it.

(IEC 62056-5-3, 5.4 and clause 8; the general forms are of later editions)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from cosem.codec.axdr import encode_length
from cosem.codec.reader import Reader
from cosem.codec.sequence import Nested, sequence
from cosem.codec.wires import Alternative, Choice, Fixed, Optional, VariableOctets

__all__ = [
    "CIPHERED_NAMES",
    "AgreedKey",
    "CipheredApdu",
    "GeneralCiphering",
    "GeneralDedCiphering",
    "GeneralGloCiphering",
    "GeneralSigning",
    "IdentifiedKey",
    "WrappedKey",
]

_SHORT_NAME_SERVICES = {
    1: "initiateRequest",
    5: "readRequest",
    6: "writeRequest",
    8: "initiateResponse",
    12: "readResponse",
    13: "writeResponse",
    14: "confirmedServiceError",
    22: "unconfirmedWriteRequest",
    24: "informationReportRequest",
}
_LOGICAL_NAME_SERVICES = {
    0xC0: "get-request",
    0xC1: "set-request",
    0xC2: "event-notification-request",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
}
CIPHERED_NAMES: Final[dict[int, str]] = {
    **{tag + 32: f"glo-{name}" for tag, name in _SHORT_NAME_SERVICES.items()},
    **{tag + 64: f"ded-{name}" for tag, name in _SHORT_NAME_SERVICES.items()},
    **{tag + 8: f"glo-{name}" for tag, name in _LOGICAL_NAME_SERVICES.items()},
    **{tag + 16: f"ded-{name}" for tag, name in _LOGICAL_NAME_SERVICES.items()},
}
"""Names of the service-specific ciphered APDUs, by tag."""


@dataclass(frozen=True, slots=True)
class CipheredApdu:
    """A glo- or ded- APDU: a service under the global or the dedicated key.

    Attributes:
        tag: One of :data:`CIPHERED_NAMES`, for example 0xC8 glo-get-request.
        content: Security control octet, invocation counter, ciphertext and tag.
    """

    tag: int
    content: bytes

    @property
    def name(self) -> str:
        """Its name in the ASN.1."""
        return CIPHERED_NAMES[self.tag]

    def to_octets(self) -> bytes:
        """Return tag, length and content."""
        return bytes((self.tag,)) + encode_length(len(self.content)) + self.content

    @classmethod
    def read(cls, reader: Reader) -> CipheredApdu:
        """Return the APDU at the reader, tag included."""
        tag = reader.unsigned(1)
        return cls(tag, reader.component("content", Reader.octet_string))


@sequence(0xDB)
class GeneralGloCiphering:
    """general-glo-ciphering [219]: any APDU under the global key.

    Attributes:
        system_title: Of the sender, 8 octets; some senders leave it empty.
        ciphered_content: Security control octet, invocation counter, ciphertext and tag.
    """

    system_title: VariableOctets
    ciphered_content: VariableOctets


@sequence(0xDC)
class GeneralDedCiphering:
    """general-ded-ciphering [220]: any APDU under the dedicated key; fields as :class:`GeneralGloCiphering`."""

    system_title: VariableOctets
    ciphered_content: VariableOctets


@sequence()
class IdentifiedKey:
    """identified-key [0]: a key that both sides have.

    Attributes:
        key_id: 0 global unicast encryption key, 1 global broadcast encryption key.
    """

    key_id: Annotated[int, Fixed("B")]


@sequence()
class WrappedKey:
    """wrapped-key [1]: a key for this message, wrapped.

    Attributes:
        kek_id: 0 master key.
        key_ciphered_data: The wrapped key (RFC 3394).
    """

    kek_id: Annotated[int, Fixed("B")]
    key_ciphered_data: VariableOctets


@sequence()
class AgreedKey:
    """agreed-key [2]: a key for this message, agreed on.

    Attributes:
        key_parameters: 01 one-pass, 02 static-unified Diffie-Hellman.
        key_ciphered_data: The ephemeral public key and its signature, or nothing.
    """

    key_parameters: VariableOctets
    key_ciphered_data: VariableOctets


if TYPE_CHECKING:
    KeyInfo: TypeAlias = IdentifiedKey | WrappedKey | AgreedKey | None
else:
    KeyInfo = Annotated[
        object,
        Optional(
            Choice(
                Alternative(0, "identified-key", Nested(IdentifiedKey), IdentifiedKey),
                Alternative(1, "wrapped-key", Nested(WrappedKey), WrappedKey),
                Alternative(2, "agreed-key", Nested(AgreedKey), AgreedKey),
            )
        ),
    ]


@sequence(0xDD)
class GeneralCiphering:
    """general-ciphering [221]: any APDU between any two parties.

    Attributes:
        transaction_id: Up to 8 octets chosen by the originator.
        originator_system_title: 8 octets.
        recipient_system_title: 8 octets.
        date_time: 12 octets or none.
        other_information: Free, or none.
        key_info: Where the key comes from.
        ciphered_content: Security control octet, invocation counter, ciphertext and tag.
    """

    transaction_id: VariableOctets
    originator_system_title: VariableOctets
    recipient_system_title: VariableOctets
    date_time: VariableOctets
    other_information: VariableOctets
    key_info: KeyInfo
    ciphered_content: VariableOctets


@sequence(0xDF)
class GeneralSigning:
    """general-signing [223]: any APDU with a digital signature; header as :class:`GeneralCiphering`.

    Attributes:
        content: The APDU that is signed.
        signature: r and s, 64 or 96 octets.
    """

    transaction_id: VariableOctets
    originator_system_title: VariableOctets
    recipient_system_title: VariableOctets
    date_time: VariableOctets
    other_information: VariableOctets
    content: VariableOctets
    signature: VariableOctets
