"""One message on its way from outside to inside: protection, APDU, values, and what was found out about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import decode as decode_apdu
from cosem.errors import ConversionError, CosemError, DecodeError, FrameError, SecurityError
from cosem.link.p1 import P1Telegram, decode_p1_telegram
from cosem.push.body import meaning, read_body
from cosem.push.findings import (
    CHOICE_MISSING,
    ENCRYPTED_ONLY,
    NOT_UNDERSTOOD,
    TEXT_CIPHERED,
    TEXT_NOT_PRINTABLE,
    TIME_IMPOSSIBLE,
    TIME_NOT_A_MOMENT,
    TIME_WITHOUT_DEVIATION,
)
from cosem.push.layouts import Layouts
from cosem.push.message import Known, Origin, PushMessage, PushValue
from cosem.push.opening import Opener
from cosem.push.piece import Piece
from cosem.push.repair import repaired
from cosem.push.shapes import Facts, Shapes
from cosem.push.telegram import telegram_clock, telegram_letters, telegram_values
from cosem.push.telegram_finding import P1, READOUT
from cosem.security.envelope import Envelope, is_protected, read_envelope
from cosem.security.inspection import Verdict
from cosem.types.date_time import DateTime
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.security.inspection import Inspection

__all__ = ["Draft", "clear_apdu", "known_message", "positions"]

_DATA_NOTIFICATION: Final = 0x0F
_ENDS_OF_LINES: Final = dict.fromkeys(map(ord, "\r\n"))
_GET_WITH_LIST: Final = b"\xc4\x03"
_NO_DEVIATION: Final = b"\x80\x00"
_NOTHING_KNOWN: Final = Known(Origin.UNKNOWN, Origin.UNKNOWN, Origin.UNKNOWN)
_NO_APDU: Final = "what the key gives is no APDU: it is another key, or the message is damaged"
_BESIDE: Final = Known(Origin.MESSAGE, Origin.MESSAGE, Origin.UNKNOWN)
_ENVELOPES: Final = {
    0xDB: "general-glo-ciphering",
    0xDC: "general-ded-ciphering",
    0xDD: "general-ciphering",
    0xDF: "general-signing",
}


class Draft:
    """A message on its way.

    Args:
        piece: What was taken out of the frames.
    """

    __slots__ = ("apdu", "clear", "facts", "findings", "framing", "octets", "piece")

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.framing = [piece.framing]
        self.findings = list(piece.findings)
        self.octets = piece.apdu
        self.apdu: Any = None
        self.clear = b""
        self.facts: dict[str, Any] = {}

    def message(self) -> PushMessage:
        """Return the message."""
        findings = tuple(dict.fromkeys(self.findings)) if len(self.findings) > 1 else tuple(self.findings)
        return PushMessage(
            findings=findings,
            framing=tuple(self.framing),
            source=self.piece.source,
            destination=self.piece.destination,
            clear=self.clear,
            octets=self.octets,
            **self.facts,
        )

    def not_understood(self, reason: str) -> PushMessage:
        """Return the message of octets that cannot be read."""
        self.findings.append(NOT_UNDERSTOOD)
        self.facts["reason"] = reason
        return self.message()

    def opened(self, apdu: bytes, inspection: Inspection, layouts: Layouts) -> None:
        """Note what protected the message and what came of it."""
        from cosem.apdu.ciphered import CIPHERED_NAMES

        self.framing.append(_ENVELOPES.get(apdu[0]) or CIPHERED_NAMES[apdu[0]])
        self.findings += inspection.findings
        title, control, counter = _outside(apdu, inspection)
        self.facts.update(
            verification=inspection.verdict,
            reason=inspection.reason,
            system_title=title,
            maker="",
            security_control=control,
            invocation_counter=counter,
            plain=inspection.plain,
        )
        if control is not None and control & 0x30 == 0x20:
            self.findings.append(ENCRYPTED_ONLY)
        if inspection.plain is None:
            self.facts["apdu_name"] = self.framing[-1]
            self.facts["maker"] = _maker(title, layouts)

    def text(self, telegram: P1Telegram, layouts: Layouts) -> PushMessage:
        """Return the message of a telegram of text."""
        values = telegram_values(telegram)
        letters = telegram_letters(telegram)
        if not telegram.text.translate(_ENDS_OF_LINES).isprintable():
            self.findings.append(TEXT_NOT_PRINTABLE)
        self.octets = self.octets or telegram.text.encode("latin-1")
        self.facts.update(
            values=values,
            timestamp=telegram_clock(values),
            apdu_name=READOUT if self.piece.framing == READOUT else P1,
            maker=layouts.makers.get(letters, letters),
        )
        return self.message()

    def ciphered_text(self, octets: bytes, layouts: Layouts) -> PushMessage:
        """Return the message of a telegram of text that was the plaintext."""
        self.findings.append(TEXT_CIPHERED)
        try:
            telegram = decode_p1_telegram(octets)
        except FrameError as error:
            return self.not_understood(str(error))
        return self.text(telegram, layouts)

    def read(self, apdu: bytes, layouts: Layouts, shapes: Shapes) -> None:
        """Read a clear APDU; what is none is named so."""
        if apdu[0] == _DATA_NOTIFICATION:
            known = shapes.read(apdu, self.facts.get("system_title"))
            if known is not None:
                self._note(apdu, *known)
                return
        findings: list[str] = []
        try:
            value: Any = decode_apdu(apdu, findings=findings)
            mended = False
        except DecodeError as error:
            found = _mended(apdu, error)
            if found is None:
                self.findings.append(NOT_UNDERSTOOD)
                if self.facts.get("verification") is Verdict.UNVERIFIABLE:
                    self.facts["plain"] = None
                    self.facts["reason"] = _NO_APDU
                else:
                    self.facts["reason"] = str(error)
                return
            value, findings = found
            mended = True
        self.apdu = value
        if apdu[0] == _DATA_NOTIFICATION:
            self._notification(apdu, value, findings, layouts, None if mended else shapes)
        else:
            self.clear = apdu
            self.findings += findings
            self._other(value, apdu)

    def _notification(
        self, apdu: bytes, value: Any, findings: list[str], layouts: Layouts, shapes: Shapes | None
    ) -> None:
        """Find out what the values of a notification are."""
        title = self.facts.get("system_title")
        letters = _letters(title)
        body = read_body(
            value.notification_body, layouts, letters, findings, int.from_bytes(apdu[1:5], "big")
        )
        maker = layouts.makers.get(letters or body.device[:3], "")
        if body.layout is not None and body.layout.maker:
            maker = body.layout.maker
        facts = Facts(
            maker or letters,
            body.layout.name if body.layout is not None else "",
            (*findings, *body.findings),
        )
        if shapes is not None and TIME_IMPOSSIBLE not in body.findings:  # which the next time need not be
            shapes.keep(apdu, title, body.values, body.clock, facts)
        self._note(apdu, facts, body.values, value.date_time, body.clock)

    def _note(
        self, apdu: bytes, found: Facts, values: tuple[PushValue, ...], time: bytes, clock: DateTime | None
    ) -> None:
        """Note what a notification says."""
        timestamp = DateTime(time) if time else clock
        self.clear = apdu
        self.findings += found.findings
        facts = self.facts
        facts["values"] = values
        facts["timestamp"] = timestamp
        facts["apdu_name"] = "data-notification"
        facts["maker"] = found.maker
        facts["invoke_id"] = int.from_bytes(apdu[1:5], "big")
        facts["layout"] = found.layout
        if timestamp is not None:
            self.findings += _time_findings(timestamp.octets)

    def _other(self, value: Any, apdu: bytes) -> None:
        """Note what APDUs say that are no pushes, as far as there is a value in them."""
        self.facts["apdu_name"] = _name_of(value)
        values: list[PushValue] = []
        if apdu[0] == 0xC2:
            what = value.cosem_attribute_descriptor
            values.append(_beside(what, value.attribute_value))
            if value.time:
                self.facts["timestamp"] = DateTime(value.time)
        elif apdu[:2] == b"\xc4\x01":
            values += positions([value.result])
        elif apdu[:2] == _GET_WITH_LIST:
            values += positions(value.result)
        self.facts["values"] = tuple(values)

    def initiate(self, apdu: bytes, opener: Opener, layouts: Layouts) -> None:
        """Look at the user-information of an ACSE APDU; open it, if it is protected."""
        information = self.apdu.user_information
        if not information:
            return
        if not is_protected(information[0]):
            try:
                decode_apdu(information, findings=self.findings)
            except DecodeError:
                self.findings.append(NOT_UNDERSTOOD)
            return
        inspection = opener.open(apdu)
        self.opened(information, inspection, layouts)
        self.facts["apdu_name"] = _name_of(self.apdu)


def _time_findings(octets: bytes) -> tuple[str, ...]:
    """Return what keeps a time from being a moment that everybody can place."""
    deviation = octets[9:11]
    usual = (
        0 < octets[0] < 0x27  # the years 256 to 9983
        and 0 < octets[2] <= 12
        and 0 < octets[3] <= 28
        and octets[5] < 24
        and octets[6] < 60
        and octets[7] < 60
        and (octets[8] < 100 or octets[8] == 0xFF)
        and (octets[9] == 0 or deviation == _NO_DEVIATION or octets[9] == 0xFF)
    )
    if not usual:  # the calendar tells
        try:
            DateTime(octets).to_datetime()
        except ConversionError:
            return (TIME_NOT_A_MOMENT,)
    return (TIME_WITHOUT_DEVIATION,) if deviation == _NO_DEVIATION else ()


def known_message(
    piece: Piece,
    framing: tuple[str, ...],
    opened: tuple[bytes, Envelope] | None,
    known: tuple[Facts, tuple[PushValue, ...], bytes, DateTime | None],
) -> PushMessage:
    """Return the message of a notification whose shape is known: the short way to what :class:`Draft` makes.

    Args:
        piece: What was taken out of the frames.
        framing: What was around it.
        opened: Its clear octets and the verified layer around them; ``None`` if nothing was around them.
        known: What the shape says.
    """
    octets = piece.apdu
    facts, values, time, clock = known
    timestamp = DateTime(time) if time else clock
    findings = piece.findings + facts.findings
    if timestamp is not None:
        findings += _time_findings(timestamp.octets)
    if opened is None:
        clear, plain = octets, None
        verification = title = control = counter = None
    else:
        clear, envelope = opened
        plain, verification = clear, Verdict.VERIFIED
        title, control, counter = envelope.title, envelope.control, envelope.invocation_counter
    return PushMessage(
        values,
        timestamp,
        verification,
        "",
        findings if len(findings) < 2 else tuple(dict.fromkeys(findings)),
        framing,
        "data-notification",
        title,
        facts.maker,
        None if control is None else int(control),
        counter,
        int.from_bytes(clear[1:5], "big"),
        facts.layout,
        piece.source,
        piece.destination,
        clear,
        plain,
        octets,
    )


def _name_of(value: Any) -> str:
    """Return the name of an APDU in the ASN.1."""
    from cosem.codec.sequence import asn1_name

    try:
        return getattr(value, "name", "") or asn1_name(type(value))
    except KeyError:  # ACSE APDUs are no A-XDR sequences; their classes have the names of the ASN.1
        return type(value).__name__


def _outside(apdu: bytes, inspection: Inspection) -> tuple[bytes | None, int | None, int | None]:
    """Return system title, security control and invocation counter of the outermost layer."""
    if inspection.status is not None:
        layer = inspection.status.layers[0]
        control = None if layer.control is None else int(layer.control)
        return layer.system_title, control, layer.invocation_counter
    try:
        envelope = read_envelope(apdu)
    except (DecodeError, SecurityError):
        return None, None, None
    control = None if envelope.control is None else int(envelope.control)
    return envelope.title or None, control, envelope.invocation_counter


def _letters(title: bytes | None) -> str:
    """Return the three letters of a system title; empty if there are none."""
    letters = (title or b"")[:3]
    return letters.decode("ascii") if letters.isalpha() and letters.isascii() else ""


def _maker(title: bytes | None, layouts: Layouts) -> str:
    letters = _letters(title)
    return layouts.makers.get(letters, letters)


def _beside(what: Any, raw: Any) -> PushValue:
    value = meaning(raw, findings={})
    name = LogicalName(what.instance_id)
    return PushValue(name, (0,), int(what.class_id), int(what.attribute_id), value, None, "", raw, _BESIDE)


def positions(results: Any) -> list[PushValue]:
    """Return values of which only the position is known; refusals among them are left out."""
    return [
        PushValue(None, (index,), None, None, meaning(raw, findings={}), None, "", raw, _NOTHING_KNOWN)
        for index, raw in enumerate(results)
        if not isinstance(raw, DataAccessResult)
    ]


def clear_apdu(octets: bytes) -> Any:
    """Return the APDU of octets that were read before, known faults taken out."""
    try:
        return decode_apdu(octets, findings=[])
    except DecodeError as error:
        found = _mended(octets, error)
        return None if found is None else found[0]


def _mended(apdu: bytes, error: DecodeError) -> tuple[Any, list[str]] | None:
    """Return an APDU that can be read once a known fault is taken out, and the faults."""
    if apdu[0] == _DATA_NOTIFICATION and len(apdu) > 6:
        at = 6 + (1 if apdu[5] == 9 else 0)
        mended = repaired(apdu, at + apdu[at - 1]) if apdu[at - 1] in (0, 12) else None
    elif apdu[:2] == _GET_WITH_LIST and 4 < error.offset < len(apdu) and apdu[error.offset] > 1:
        mended = apdu[: error.offset] + b"\0" + apdu[error.offset :], (CHOICE_MISSING,)
    else:
        return None
    if mended is None:
        return None
    octets, findings = mended
    more: list[str] = []
    try:
        return decode_apdu(octets, findings=more), [*findings, *more]
    except CosemError:
        return None
