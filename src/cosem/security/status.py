"""How an APDU is to be protected, and how one was found protected: Security_Options and Security_Status.

Both are sequences of layers, outermost first, as they stand on the line. What was
found in a request asks for its answer in kind: :meth:`SecurityStatus.answer`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, NamedTuple

from cosem.codec.axdr import encode_length
from cosem.security.policy import ProtectionKind
from cosem.security.suites import SecurityControl

__all__ = [
    "DEFAULT_OPTIONS",
    "GeneralHeader",
    "KeyUsed",
    "Layer",
    "LayerOptions",
    "ProtectionForm",
    "SecurityOptions",
    "SecurityStatus",
]


class ProtectionForm(Enum):
    """The APDU around the protected one."""

    SERVICE_SPECIFIC = "glo- or ded-, by service"
    GENERAL_GLO = "general-glo-ciphering"
    GENERAL_DED = "general-ded-ciphering"
    GENERAL_CIPHERING = "general-ciphering"
    GENERAL_SIGNING = "general-signing"


class KeyUsed(Enum):
    """The key that protects, and how the peer knows it."""

    GLOBAL_UNICAST = "global unicast encryption key"
    GLOBAL_BROADCAST = "global broadcast encryption key"
    DEDICATED = "dedicated key"
    WRAPPED = "key wrapped in the message"
    ONE_PASS = "key agreed by C(1e,1s)"  # noqa: S105 -- the name of a scheme
    STATIC_UNIFIED = "key agreed by C(0e,2s)"
    ESTABLISHED = "key established before"
    SIGNING = "signing key"

    __hash__ = object.__hash__  # members are looked up for every APDU, and that of Enum is slow


@dataclass(frozen=True, slots=True)
class GeneralHeader:
    """The five fields that general-ciphering and general-signing begin with.

    Args:
        transaction_id: Chosen by the originator, 8 octets by custom; an answer repeats it.
        originator: System title of who protects, 8 octets.
        recipient: System title of who shall open; empty for nobody in particular.
        date_time: The 12 octets of a date-time, or none.
        other_information: Free, or none.
    """

    transaction_id: bytes = b""
    originator: bytes = b""
    recipient: bytes = b""
    date_time: bytes = b""
    other_information: bytes = b""

    @property
    def fields(self) -> tuple[bytes, bytes, bytes, bytes, bytes]:
        """The five in their order."""
        return self.transaction_id, self.originator, self.recipient, self.date_time, self.other_information

    @property
    def octets(self) -> bytes:
        """The five with their lengths, as they are transmitted and authenticated."""
        return b"".join(encode_length(len(field)) + field for field in self.fields)


@dataclass(frozen=True, slots=True)
class LayerOptions:
    """One layer of protection to put around an APDU.

    Args:
        form: The APDU around; service-specific becomes general where a service has no such form.
        key: Which key; for general-ciphering also how the recipient learns it.
        authenticated: Whether there is a tag. Has no meaning for general-signing.
        encrypted: Whether it is encrypted. Has no meaning for general-signing.
        header: The fields of general-ciphering and general-signing; what is empty is filled in.
    """

    form: ProtectionForm = ProtectionForm.SERVICE_SPECIFIC
    key: KeyUsed = KeyUsed.GLOBAL_UNICAST
    authenticated: bool = True
    encrypted: bool = True
    header: GeneralHeader = GeneralHeader()

    @property
    def kinds(self) -> ProtectionKind:
        """What this layer gives."""
        if self.form is ProtectionForm.GENERAL_SIGNING:
            return ProtectionKind.SIGNED
        return _kinds(authenticated=self.authenticated, encrypted=self.encrypted)


@dataclass(frozen=True, slots=True)
class SecurityOptions:
    """Security_Options: how an APDU is to be protected.

    Args:
        layers: Outermost first; the last one is applied first. Signature within encryption is usual.
    """

    layers: tuple[LayerOptions, ...] = (LayerOptions(),)

    @property
    def kinds(self) -> ProtectionKind:
        """What all layers together give."""
        kinds = ProtectionKind.NONE
        for layer in self.layers:
            kinds |= layer.kinds
        return kinds

    def strengthened(self, required: ProtectionKind) -> SecurityOptions:
        """Return these options with what they lack of ``required``.

        Tag and encryption are added to the outermost layer that can have them; a signature becomes the
        innermost layer, since what is signed and encrypted is signed first.
        """
        missing = required & ~self.kinds
        if not missing:
            return self
        layers = list(self.layers)
        if missing & ~ProtectionKind.SIGNED:
            for index, layer in enumerate(layers):
                if layer.form is not ProtectionForm.GENERAL_SIGNING:
                    layers[index] = replace(
                        layer,
                        authenticated=layer.authenticated or ProtectionKind.AUTHENTICATED in missing,
                        encrypted=layer.encrypted or ProtectionKind.ENCRYPTED in missing,
                    )
                    break
            else:
                layers.insert(
                    0,
                    LayerOptions(
                        ProtectionForm.GENERAL_GLO,
                        authenticated=ProtectionKind.AUTHENTICATED in missing,
                        encrypted=ProtectionKind.ENCRYPTED in missing,
                    ),
                )
        if ProtectionKind.SIGNED in missing:
            layers.append(LayerOptions(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING))
        return SecurityOptions(tuple(layers))


DEFAULT_OPTIONS: Final = SecurityOptions()
"""Service-specific, authenticated and encrypted, under the global unicast key."""


class Layer(NamedTuple):
    """One layer of protection that was found and taken off.

    Args:
        form: The APDU around.
        key: Which key.
        control: The security control octet; ``None`` in general-signing.
        verified: Whether a tag or signature was checked and is right.
        system_title: Of who applied it.
        invocation_counter: What it said; ``None`` where there is none.
        header: The fields of general-ciphering and general-signing.
    """

    form: ProtectionForm
    key: KeyUsed
    control: SecurityControl | None
    verified: bool
    system_title: bytes
    invocation_counter: int | None = None
    header: GeneralHeader | None = None

    @property
    def kinds(self) -> ProtectionKind:
        """What this layer proved to give; encryption counts without a tag, authentication does not."""
        control = self.control
        if control is None:
            return ProtectionKind.SIGNED if self.verified else ProtectionKind.NONE
        bits = control >> 4 & 3  # A and E, in this order also in ProtectionKind
        return _KINDS[bits if self.verified else bits & 2]

    def answer(self) -> LayerOptions:
        """Return the options of an answer in kind."""
        control = self.control or SecurityControl(0)
        header = GeneralHeader()
        if self.header is not None:
            header = GeneralHeader(self.header.transaction_id, self.header.recipient, self.header.originator)
        key = KeyUsed.GLOBAL_UNICAST if self.key is KeyUsed.GLOBAL_BROADCAST else self.key
        return LayerOptions(self.form, key, control.authenticated, control.encrypted, header)


class SecurityStatus(NamedTuple):
    """Security_Status: what protected an APDU.

    Args:
        layers: Outermost first; at least one.
        findings: Deviations from the standard.
    """

    layers: tuple[Layer, ...]
    findings: tuple[str, ...] = ()

    @property
    def kinds(self) -> ProtectionKind:
        """What all layers of who sent it proved to give; those of a third party within prove nothing of the sender."""
        sender, bits = self.layers[0].system_title, 0
        for layer in self.layers:
            if layer.system_title == sender:
                bits |= int(layer.kinds)
        return _KINDS[bits]

    @property
    def verified(self) -> bool:
        """Whether a tag or signature shows that the APDU is genuine; each covers all that it encloses."""
        return any(layer.verified for layer in self.layers)

    @property
    def authenticated(self) -> bool:
        """Whether there was a tag, and it is right."""
        return ProtectionKind.AUTHENTICATED in self.kinds

    @property
    def encrypted(self) -> bool:
        """Whether it was encrypted."""
        return ProtectionKind.ENCRYPTED in self.kinds

    @property
    def signed(self) -> bool:
        """Whether there was a signature, and it is right."""
        return ProtectionKind.SIGNED in self.kinds

    @property
    def broadcast(self) -> bool:
        """Whether the broadcast key was used: every holder of it could have sent this, not the peer alone."""
        layers = self.layers
        if len(layers) == 1:
            return layers[0].key is KeyUsed.GLOBAL_BROADCAST
        return any(layer.key is KeyUsed.GLOBAL_BROADCAST for layer in layers)

    @property
    def form(self) -> ProtectionForm:
        """The form of the outermost layer."""
        return self.layers[0].form

    @property
    def key(self) -> KeyUsed:
        """The key of the outermost layer."""
        return self.layers[0].key

    @property
    def control(self) -> SecurityControl | None:
        """The security control octet of the outermost layer."""
        return self.layers[0].control

    @property
    def system_title(self) -> bytes:
        """Who applied the outermost layer."""
        return self.layers[0].system_title

    @property
    def originator(self) -> bytes:
        """Who applied the innermost layer: a third party, where the outer ones are the client's."""
        return self.layers[-1].system_title

    @property
    def invocation_counter(self) -> int | None:
        """The counter of the outermost layer that has one."""
        return next(
            (each.invocation_counter for each in self.layers if each.invocation_counter is not None), None
        )

    def answer(self) -> SecurityOptions:
        """Return the options of an answer in kind: the same layers, with originator and recipient exchanged."""
        return SecurityOptions(tuple(layer.answer() for layer in self.layers))


_KINDS: Final = tuple(ProtectionKind(bits) for bits in range(8))
"""All sets of kinds, by number: to look one up is much faster than to make it."""


def _kinds(*, authenticated: bool, encrypted: bool) -> ProtectionKind:
    """Return the kinds as flags."""
    return _KINDS[(1 if authenticated else 0) | (2 if encrypted else 0)]
