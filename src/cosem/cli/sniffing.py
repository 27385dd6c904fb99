"""What octets of an unknown port are: framing, ciphering, maker, missing keys; or another protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.other_protocols import iec62056_21, other_protocols, seven_bits
from cosem.security.inspection import Verdict

if TYPE_CHECKING:
    from cosem.push import PushMessage
    from cosem.push.opening import KeySource

__all__ = ["Finding", "Sniffed", "sniff"]

_NAMES: Final = {
    "hdlc": "HDLC frames",
    "mbus": "M-Bus frames",
    "wrapper": "units of the wrapper",
    "p1": "P1 telegrams",
    "iec62056-21": "readouts of IEC 62056-21",
}
_STUCK: Final = frozenset({0x00, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE, 0xFF})
_FEWEST: Final = 24
_FLAG: Final = 0x7E
_KINDS: Final = 6  # different octets of which a parity can be told


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of message among the octets.

    Attributes:
        framing: From outside to inside.
        apdu: The innermost APDU that could be read.
        count: How many there are.
        ciphering: In words; empty where there is none.
        system_title: Of the meter; empty if it does not say it.
        maker: Its maker; empty if nothing tells it.
        layout: The layout that fits; empty if none is needed, or none does.
        verification: As of the last message; ``None`` in clear.
        missing: The keys that are missing, in words.
        findings: Deviations, by name.
    """

    framing: tuple[str, ...]
    apdu: str
    count: int
    ciphering: str
    system_title: str
    maker: str
    layout: str
    verification: str | None
    missing: tuple[str, ...]
    findings: tuple[str, ...]


@dataclass(slots=True)
class Sniffed:
    """What octets are.

    Attributes:
        octets: How many there are.
        form: How the dump was written.
        found: What of DLMS/COSEM is in them.
        frames: Good frames and telegrams, by framing.
        damaged: Frames that were damaged or carry no APDU, by kind.
        unfinished: What has begun and whose end is missing, in words.
        other_protocols: Other protocols, in words.
        suspicions: What may be wrong with the line, in words.
        hints: What to do next, in words.
    """

    octets: int
    form: str
    found: list[Finding] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, int] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    other_protocols: list[str] = field(default_factory=list)
    suspicions: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def known(self) -> bool:
        """Whether anything could be told of the octets."""
        return bool(self.found or self.other_protocols or self.frames or self.unfinished)


def sniff(streams: Iterable[bytes], form: str, keys: KeySource = None) -> Sniffed:
    """Return what octets are.

    Args:
        streams: The octets, a part for each sender.
        form: How they were written.
        keys: Keys to try.
    """
    parts = [part for part in streams if part]
    sniffed = Sniffed(sum(map(len, parts)), form)
    messages = [message for part in parts for message in _decoded(part, keys, sniffed)]
    sniffed.found = _kinds(messages)
    if not messages:
        for part in parts:
            if not _is_noise(part, sniffed):
                _parity(part, sniffed)
    telegrams = any({"p1", "iec62056-21"} & set(each.framing) for each in sniffed.found)
    for part in parts:
        for text in other_protocols(part):
            if not (sniffed.found and text.startswith("wireless")):
                _add(sniffed.other_protocols, text)
        for text in iec62056_21(part, telegrams=telegrams):
            _add(sniffed.other_protocols, text)
    if not messages:
        for part in parts:
            _line(part, sniffed)
    elif sum(sniffed.damaged.get(name, 0) for name in sniffed.damaged if "wrong" in name) > len(messages):
        sniffed.suspicions.append(
            "most frames are damaged: noise, a wrong parity, or a line that loses octets"
        )
    _unfinished(sniffed)
    _hints(sniffed)
    return sniffed


def _unfinished(sniffed: Sniffed) -> None:
    """Say what has begun and was cut off."""
    for name, plain in _NAMES.items():
        cut = sniffed.damaged.get(f"{name}: the end is missing", 0)
        frames = sniffed.frames.get(name, 0)
        if cut:
            before = f", after {frames} whole" if frames else ""
            sniffed.unfinished.append(f"{plain}, cut off: the end of the last one is missing{before}")
        elif frames and not sniffed.found:
            sniffed.unfinished.append(f"{plain}: {frames} whole, and no message that can be read in them")


def _decoded(part: bytes, keys: KeySource, sniffed: Sniffed) -> list[PushMessage]:
    from cosem.push import Parser

    parser = Parser(keys, decrypt_unverified=True)
    messages = [*parser.feed(part), *parser.finish()]
    for name, count in parser.detector.counts.items():
        if count and name in _NAMES:
            sniffed.frames[name] = sniffed.frames.get(name, 0) + count
    for kind, count in parser.detector.others.items():
        sniffed.damaged[kind] = sniffed.damaged.get(kind, 0) + count
    for kind, count in parser.detector.without_apdu.items():
        sniffed.damaged[f"{kind}, no APDU"] = sniffed.damaged.get(f"{kind}, no APDU", 0) + count
    if not messages and not parser.frames:
        message = parser.whole(part)
        if message is not None and message.framing != ("data",):
            messages = [message]
    return [
        message for message in messages if "not-understood" not in message.findings or message.system_title
    ]


def _kinds(messages: list[PushMessage]) -> list[Finding]:
    groups: dict[Any, list[PushMessage]] = {}
    for message in messages:
        groups.setdefault((message.framing, message.apdu_name, message.system_title), []).append(message)
    return [_finding(group) for group in groups.values()]


def _finding(group: list[PushMessage]) -> Finding:
    last = group[-1]
    title = (last.system_title or b"").hex().upper()
    return Finding(
        framing=last.framing,
        apdu=last.apdu_name,
        count=len(group),
        ciphering=_ciphering(last.security_control),
        system_title=title,
        maker=next((message.maker for message in reversed(group) if message.maker), ""),
        layout=last.layout,
        verification=None if last.verification is None else last.verification.value,
        missing=_missing(last, title),
        findings=tuple(dict.fromkeys(name for message in group for name in message.findings)),
    )


def _ciphering(control: int | None) -> str:
    if control is None:
        return ""
    how = {
        0x30: "encrypted and authenticated",
        0x20: "encrypted, not authenticated",
        0x10: "authenticated only",
    }
    key = "broadcast key" if control & 0x40 else "unicast key"
    return f"{how.get(control & 0x30, 'not protected')}, suite {control & 0x0F}, {key}"


def _missing(message: PushMessage, title: str) -> tuple[str, ...]:
    if (
        message.verification is None
        or message.verification is Verdict.VERIFIED
        or message.security_control is None
    ):
        return ()
    whose = f" of the meter {title}" if title else ""
    missing = []
    if message.plain is None and message.security_control & 0x20:
        missing.append(f"encryption key{whose}")
    if message.security_control & 0x10:
        missing.append(f"authentication key{whose}")
    return tuple(missing)


def _add(texts: list[str], text: str) -> None:
    if text not in texts:
        texts.append(text)


# The line -----------------------------------------------------------------------------------------------------------


def _is_noise(part: bytes, sniffed: Sniffed) -> bool:
    """Say that a line is idle or stuck, if its octets are almost all the same."""
    most = max(set(part), key=part.count)
    if part.count(most) < 0.9 * len(part) or len(part) < _FEWEST or most == _FLAG:
        return False
    meaning = {
        0xFF: "the line is idle or noisy, or nobody drives it",
        0x00: "the line is held down: a break, a short circuit, or a signal upside down",
    }.get(most, "no protocol of meters; the line is stuck, or oscillates")
    _add(sniffed.suspicions, f"almost all octets are {most:02X}: {meaning}")
    return True


def _parity(part: bytes, sniffed: Sniffed) -> None:
    """Say whether bit 7 of every octet is a parity, and read the octets without it."""
    if len(part) < _FEWEST or not any(octet & 0x80 for octet in part) or len(set(part)) < _KINDS:
        return
    if all(octet.bit_count() % 2 == 0 for octet in part):
        sniffed.suspicions.append(
            "every octet has even parity in bit 7: the line is 7E1 and was received as 8N1"
        )
        sniffed.found = _kinds(_decoded(seven_bits(part), None, sniffed))
    elif all(octet.bit_count() % 2 for octet in part):
        sniffed.suspicions.append(
            "every octet has odd parity in bit 7: the line is 7O1 and was received as 8N1"
        )


def _line(part: bytes, sniffed: Sniffed) -> None:
    """Say what may be wrong with the line where nothing was understood."""
    if len(part) < _FEWEST or sniffed.other_protocols or sniffed.suspicions:
        return
    if sum(octet in _STUCK for octet in part) > 0.6 * len(part):
        sniffed.suspicions.append(
            "almost only octets like 00, 80, E0, F8 and FF: another baud rate, or a signal upside down"
        )
    elif messages := _decoded(bytes(octet ^ 0xFF for octet in part), None, sniffed):
        sniffed.suspicions.append("every bit is inverted: the signal is upside down")
        sniffed.found = _kinds(messages)
    elif any("wrong" in kind or "flag is missing" in kind for kind in sniffed.damaged):
        sniffed.suspicions.append(
            "frames begin and their checks fail: noise, a wrong parity, or octets that are lost"
        )
    elif part.count(0x7E) == 0 and len(set(part)) > 0.5 * min(len(part), 256):
        sniffed.suspicions.append("no framing shows: another baud rate or parity, or another protocol")


def _hints(sniffed: Sniffed) -> None:
    for each in sniffed.found:
        for key in each.missing:
            option = "--key" if key.startswith("encryption") else "--auth-key"
            _add(sniffed.hints, f"ask the operator of the net for the {key}, and give it with {option}")
    if not sniffed.known and not sniffed.suspicions:
        few = sniffed.octets < _FEWEST
        sniffed.hints.append(
            "these are too few octets to tell"
            if few
            else "nothing here is known; give more octets, from a silence on"
        )
