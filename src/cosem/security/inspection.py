"""Any protected APDU opened with whatever keys are known, and what can be said of it.

For decoders, captures and listeners: nothing is counted and no policy is enforced
here, so that a message can be looked at twice. What is said is one of three: it is
verified, it is unverifiable (a key or title is not known), or it failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.errors import DecodeError, KeyMissingError, LimitError, SecurityError
from cosem.security.envelope import Envelope, is_protected, read_envelope
from cosem.security.material import DEFAULT_INTERPRETATION, Interpretation, SecurityMaterial
from cosem.security.opening import open_layer
from cosem.security.status import KeyUsed, Layer, SecurityStatus
from cosem.security.suites import TAG_SIZE

if TYPE_CHECKING:
    from cosem.security.gcm import GcmKey

__all__ = ["Inspection", "MaterialLookup", "Verdict", "inspect"]

MaterialLookup: TypeAlias = Callable[[bytes | None], SecurityMaterial | None]
"""Returns the keys of a sender by its system title; ``None`` asks for keys where no title is known."""

_MOST_LAYERS: Final = 8
_ACSE: Final = frozenset({0x60, 0x61, 0x62, 0x63})


class Verdict(Enum):
    """What can be said of a protected APDU."""

    VERIFIED = "verified"
    UNVERIFIABLE = "unverifiable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a protected APDU.

    Attributes:
        verdict: Verified; unverifiable, where a key or title is missing; or failed.
        plain: The clear octets: where the verdict is verified, or where decryption without verification was
            asked for and then says unverifiable. ``None`` otherwise.
        status: The layers that were taken off.
        reason: Why it is not verified; empty where it is.
        findings: Deviations from the standard, ``decrypted-without-verification`` among them.
    """

    verdict: Verdict
    plain: bytes | None = field(default=None, repr=False)
    status: SecurityStatus | None = None
    reason: str = ""
    findings: tuple[str, ...] = ()


def inspect(
    octets: bytes,
    lookup: MaterialLookup,
    *,
    system_title: bytes | None = None,
    decrypt_unverified: bool = False,
    interpretation: Interpretation = DEFAULT_INTERPRETATION,
) -> Inspection:
    """Return what can be said of a protected APDU.

    The user-information of an AARQ, AARE, RLRQ or RLRE is looked at in its place, and the title in an AARQ
    or AARE is taken for that of the sender.

    Args:
        octets: A protected xDLMS APDU, or an ACSE APDU.
        lookup: Returns the keys of a sender.
        system_title: Of the sender, where the octets do not say it.
        decrypt_unverified: Whether to decrypt where the tag cannot be checked, because there is none or because
            the authentication key is not known. Who changed such a message cannot be told.
        interpretation: How the standard is read.

    Raises:
        DecodeError: There is no layer of protection at all.
    """
    if octets and octets[0] in _ACSE:
        octets, title = _user_information(octets)
        system_title = title or system_title
    if not octets or not is_protected(octets[0]):
        raise DecodeError("no protected APDU", 0)
    walk = _Walk(lookup, system_title, interpretation, decrypt_unverified=decrypt_unverified)
    return walk.run(octets)


class _Walk:
    """One message on its way from the outermost layer inwards."""

    def __init__(
        self,
        lookup: MaterialLookup,
        system_title: bytes | None,
        interpretation: Interpretation,
        *,
        decrypt_unverified: bool,
    ) -> None:
        self.lookup = lookup
        self.system_title = system_title
        self.interpretation = interpretation
        self.decrypt_unverified = decrypt_unverified
        self.layers: list[Layer] = []
        self.findings: list[str] = []

    def run(self, octets: bytes) -> Inspection:
        clear = octets
        unverified = ""
        try:
            while clear and is_protected(clear[0]):
                if len(self.layers) == _MOST_LAYERS:
                    raise LimitError("layers of protection", _MOST_LAYERS + 1, _MOST_LAYERS)
                clear, problem = self.layer(clear)
                unverified = unverified or problem
        except KeyMissingError as error:
            return self.result(Verdict.UNVERIFIABLE, None, str(error))
        except (SecurityError, DecodeError) as error:
            return self.result(Verdict.FAILED, None, str(error))
        if any(layer.verified for layer in self.layers):
            return self.result(Verdict.VERIFIED, clear, "")
        reason = unverified or "no layer authenticates or signs"
        if not self.decrypt_unverified:
            return self.result(Verdict.UNVERIFIABLE, None, reason)
        self.findings.append("decrypted-without-verification")
        return self.result(Verdict.UNVERIFIABLE, clear, reason)

    def layer(self, octets: bytes) -> tuple[bytes, str]:
        """Return what is under a layer, and why it is not verified."""
        envelope = read_envelope(octets)
        if envelope.title == b"":
            self.findings.append("system-title-empty")
        # What names no title inside a layer that does was protected by the same party.
        title = envelope.title or (self.layers[-1].system_title if self.layers else self.system_title)
        material = self.lookup(title)
        if material is None:
            whose = "this sender" if title is None else title.hex().upper()
            raise KeyMissingError(f"no keys of {whose} are known")
        if title is None:
            raise KeyMissingError("the system title of the sender is not known")
        recipient = envelope.header.recipient if envelope.header is not None else b""
        control = envelope.control
        if control is not None and control.authenticated and not material.authentication_key_known:
            return self.without_authentication_key(envelope, title, material)
        opened = open_layer(envelope, material, title, recipient, self.interpretation)
        self.layers.append(opened.layer)
        self.findings += opened.findings
        if control is not None and control.protected and not control.authenticated:
            return opened.clear, "it is encrypted without an authentication tag"
        return opened.clear, ""

    def without_authentication_key(
        self, envelope: Envelope, title: bytes, material: SecurityMaterial
    ) -> tuple[bytes, str]:
        """Return what is under a layer whose tag nobody here can check."""
        if not self.decrypt_unverified:
            raise KeyMissingError("the authentication key is not known")
        control, counter = envelope.control, envelope.invocation_counter
        keys: dict[KeyUsed, GcmKey | None] = {
            KeyUsed.GLOBAL_UNICAST: material.unicast,
            KeyUsed.ESTABLISHED: material.unicast,
            KeyUsed.GLOBAL_BROADCAST: material.broadcast,
            KeyUsed.DEDICATED: material.dedicated,
        }
        key = keys.get(envelope.key)
        if key is None or control is None or counter is None:
            raise KeyMissingError(f"no {envelope.key.value} is known")
        if control.suite != material.suite:
            raise SecurityError(f"security suite {control.suite} with keys of suite {material.suite.value}")
        clear = envelope.body[:-TAG_SIZE]
        if control.encrypted:
            clear = key.stream(title + counter.to_bytes(4, "big"), clear)
        if envelope.clear_tag is not None and clear[:1] != bytes((envelope.clear_tag,)):
            raise SecurityError("the key is another one: what it gives is not the service that the tag names")
        self.layers.append(
            Layer(envelope.form, envelope.key, control, False, title, counter, envelope.header)
        )
        return clear, "the authentication key is not known"

    def result(self, verdict: Verdict, plain: bytes | None, reason: str) -> Inspection:
        status = SecurityStatus(tuple(self.layers), tuple(self.findings)) if self.layers else None
        return Inspection(verdict, plain, status, reason, tuple(self.findings))


def _user_information(octets: bytes) -> tuple[bytes, bytes | None]:
    """Return the user-information of an ACSE APDU, and the system title of who sent it."""
    from cosem.apdu import decode

    apdu: Any = decode(octets, findings=[])
    title = getattr(apdu, "calling_ap_title", None) or getattr(apdu, "responding_ap_title", None)
    return apdu.user_information or b"", title
