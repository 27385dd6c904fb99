"""Recordings: what went over a line and what it said, as lines of JSON that a person can read.

The first line says what the file is, and every other line holds one frame or one
APDU, in the order in which they travelled::

    {
        "cosem-recording": 1,
        "started": "2026-03-01T12:00:00.000000+00:00",
        "profile": "wrapper",
        "url": "tcp://10.0.0.7:4059",
        "client": 16,
        "server": 1,
    }
    {
        "at": 0.001204,
        "sent": "apdu",
        "octets": "601DA109060760857405080101BE10040E01000000065F1F040000001DFFFF",
    }
    {"at": 0.001391, "sent": "frame", "octets": "000100100001001F601DA1..."}

``at`` are seconds since the beginning; ``sent`` is what the client sent, ``received``
what the meter did. ``profile`` is ``wrapper`` or ``hdlc``. ``octets`` are
hexadecimal. A line with ``"masked": [[26, 34]]`` has asterisks (2A) from the first
to before the second offset, in place of a secret. ``octets`` as the word for what
travelled means octets that are no frame, such as a sign-on before HDLC.

The first line is that of the first connection, too. Another connection begins with a
line of its own, and what travels over it says its number::

    {"connection": 1, "started": "...", "profile": "hdlc", "url": "", "client": 16, "server": 1}
    {"at": 7.001391, "sent": "apdu", "octets": "C001C100080000010000FF0200", "connection": 1}
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from cosem.errors import ConversionError
from cosem.transport.observing import Observer
from cosem.transport.reframing import Framing, Masked, Splitter

__all__ = ["FORMAT", "Entry", "Mask", "Recorder", "Recording", "RecordingHeader", "starred"]

FORMAT: Final = 1
"""Version of the format, the value of ``cosem-recording``."""
Kind: TypeAlias = Literal["apdu", "frame", "octets"]
_KINDS: Final[dict[object, Kind]] = {"apdu": "apdu", "frame": "frame", "octets": "octets"}
_PROFILES: Final[dict[object, Framing]] = {"wrapper": "wrapper", "hdlc": "hdlc"}
_LONGEST_SHOWN: Final = 40
Ranges: TypeAlias = tuple[tuple[int, int], ...]
Mask: TypeAlias = Callable[[bytes, bool], Ranges]
"""Returns where the secrets of an APDU lie; the second argument says whether the client sent it."""


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """The first line of a recording, or that of another connection in it.

    Args:
        started: When it began, as ISO 8601 with a zone.
        profile: ``wrapper`` or ``hdlc``.
        url: Where the meter was reached; empty if that is not told.
        client: Address of the client.
        server: Address of the meter.
        redacted: Whether what tells the meter and its people was taken out.
    """

    started: str = ""
    profile: Framing = "wrapper"
    url: str = ""
    client: int = 16
    server: int = 1
    redacted: bool = False

    def to_line(self, connection: int = 0) -> str:
        """Return it as a line, without the end of the line; connection 0 is that of the first line."""
        facts: dict[str, Any] = {"connection": connection} if connection else {"cosem-recording": FORMAT}
        facts |= {"started": self.started, "profile": self.profile}
        facts |= {"url": self.url, "client": self.client, "server": self.server}
        if self.redacted:
            facts["redacted"] = True
        return json.dumps(facts, ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a recording.

    Args:
        at: Seconds since its beginning.
        sent: Whether the client sent it; else the meter did.
        kind: ``apdu``, ``frame``, or ``octets`` for what is no frame.
        octets: What travelled; secrets are asterisks.
        masked: Where the secrets were, as pairs of offsets.
        connection: Number of the connection.
    """

    at: float
    sent: bool
    kind: Kind
    octets: bytes
    masked: Ranges = ()
    connection: int = 0

    def to_line(self) -> str:
        """Return it as a line, without the end of the line."""
        facts: dict[str, Any] = {"at": round(self.at, 6), "sent" if self.sent else "received": self.kind}
        facts["octets"] = self.octets.hex().upper()
        if self.masked:
            facts["masked"] = [list(each) for each in self.masked]
        if self.connection:
            facts["connection"] = self.connection
        return json.dumps(facts)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, whole.

    Args:
        header: Its first line.
        entries: What travelled.
        cut: Whether its last line is not whole: whoever wrote it was stopped.
        connections: What the lines of the connections from number 1 on say.
    """

    header: RecordingHeader
    entries: tuple[Entry, ...]
    cut: bool = False
    connections: tuple[RecordingHeader, ...] = ()

    @property
    def headers(self) -> tuple[RecordingHeader, ...]:
        """What is said of each connection, by its number."""
        return (self.header, *self.connections)

    @property
    def apdus(self) -> tuple[Entry, ...]:
        """The APDUs, without the frames."""
        return tuple(entry for entry in self.entries if entry.kind == "apdu")

    def to_text(self) -> str:
        """Return it as the text of a file."""
        lines = [self.header.to_line()]
        told = 0
        for entry in self.entries:
            for number in range(told + 1, entry.connection + 1):
                lines.append(self.connections[number - 1].to_line(number))
                told = number
            lines.append(entry.to_line())
        lines += [each.to_line(number) for number, each in enumerate(self.connections, 1) if number > told]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Recording:
        """Return the recording that is the text of a file.

        Raises:
            ConversionError: It is no recording; says which line is wrong.
        """
        lines = text.removeprefix("\ufeff").split("\n")
        whole = lines.pop() == "" if len(lines) > 1 else False
        if not whole:
            lines = text.removeprefix("\ufeff").split("\n")
        header = _header(lines[0])
        entries: list[Entry] = []
        connections: list[RecordingHeader] = []
        for number, line in enumerate(lines[1:], 2):
            if not line.strip():
                continue
            try:
                facts = _facts(line)
                if "profile" in facts:
                    connections.append(_connection(facts, len(connections) + 1, header))
                else:
                    entries.append(_entry(facts, len(connections)))
            except ConversionError as error:
                if number == len(lines) and not whole:
                    return cls(header, tuple(entries), cut=True, connections=tuple(connections))
                raise ConversionError(f"line {number}: {error}") from None
        return cls(header, tuple(entries), connections=tuple(connections))


def starred(octets: bytes, ranges: Ranges) -> bytes:
    """Return octets with asterisks in some places.

    >>> starred(b"..12345678..", ((2, 10),))
    b'..********..'
    """
    if not ranges:
        return octets
    changed = bytearray(octets)
    for start, stop in ranges:
        changed[start:stop] = b"*" * (stop - start)
    return bytes(changed)


def _facts(line: str) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        raise ConversionError("it is no JSON") from None
    if not isinstance(facts, dict):
        raise ConversionError("it is no JSON object")
    return facts


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _header(line: str) -> RecordingHeader:
    try:
        facts = _facts(line)
    except ConversionError:
        facts = {}
    version = facts.get("cosem-recording")
    if version is None:
        raise ConversionError('it is no recording: its first line is no JSON object with "cosem-recording"')
    if version != FORMAT or isinstance(version, bool):
        shown = str(version)[:_LONGEST_SHOWN]
        raise ConversionError(f"it is a recording of format {shown}; this release reads format {FORMAT}")
    try:
        return _header_of(facts)
    except ConversionError as error:
        raise ConversionError(f"line 1: {error}") from None


def _connection(facts: dict[str, Any], number: int, first: RecordingHeader) -> RecordingHeader:
    if facts.get("connection") != number:
        raise ConversionError(f"the next connection that begins must have the number {number}")
    return replace(_header_of(facts), redacted=first.redacted)


def _header_of(facts: dict[str, Any]) -> RecordingHeader:
    texts = {name: facts.get(name, "") for name in ("started", "url")}
    numbers = {name: facts.get(name, default) for name, default in (("client", 16), ("server", 1))}
    profile = _PROFILES.get(_word(facts.get("profile")))
    if profile is None:
        raise ConversionError("the profile is neither wrapper nor hdlc")
    if not all(isinstance(text, str) for text in texts.values()):
        raise ConversionError("started and url must be text")
    if not all(type(number) is int and 0 <= number <= 0xFFFF for number in numbers.values()):
        raise ConversionError("client and server must be numbers in 0..65535")
    return RecordingHeader(**texts, **numbers, profile=profile, redacted=facts.get("redacted") is True)


def _entry(facts: dict[str, Any], last: int) -> Entry:
    octets: Any
    at, octets, masked = facts.get("at"), facts.get("octets"), facts.get("masked", [])
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at < 1e12:
        raise ConversionError('"at" is no number of seconds')
    sent = "sent" in facts
    kind = _KINDS.get(_word(facts.get("sent" if sent else "received")))
    if kind is None or (sent and "received" in facts):
        raise ConversionError('neither "sent" nor "received" is one of apdu, frame, octets')
    try:
        content = bytes.fromhex(octets)
    except (TypeError, ValueError):
        raise ConversionError('"octets" is not hexadecimal') from None
    if not content:
        raise ConversionError('"octets" is empty')
    try:
        ranges = tuple((start, stop) for start, stop in masked)
        good = all(type(start) is type(stop) is int and 0 <= start < stop for start, stop in ranges)
    except (TypeError, ValueError):
        good = False
    if not good or any(stop > len(content) for _, stop in ranges):
        raise ConversionError('"masked" is no list of pairs of offsets')
    connection = facts.get("connection", 0)
    if type(connection) is not int or not 0 <= connection <= last:
        raise ConversionError('"connection" is no number of a connection that has begun')
    return Entry(float(at), sent, kind, content, ranges, connection)


class Recorder(Observer):
    """Writes what an observer sees as a recording.

    A frame is written once it is known which APDU is in it, so that what is masked in
    the APDU is masked in the frame; check sequences are made anew. What belongs to no
    APDU by the end, or is no frame, is masked whole.

    Args:
        write: Takes the text, a line at a time.
        header: The first line; ``started`` is filled in.
        now: Returns the present time, with its zone.
        seconds: Returns monotonic seconds.
        mask: Finds the secrets of an APDU.
        begun: When the recording began, for one that goes on: it has its first line.
        connection: Number of the connection; each but the first has a line that says that it begins.
        at_meter: Whether the meter is observed: then what is received is what the client sent.

    Attributes:
        begun: When the recording began, in monotonic seconds.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        header: RecordingHeader,
        *,
        now: Callable[[], datetime],
        seconds: Callable[[], float],
        mask: Mask,
        begun: float | None = None,
        connection: int = 0,
        at_meter: bool = False,
    ) -> None:
        self._write = write
        self._connection = connection
        self._at_meter = at_meter
        self._seconds = seconds
        self.begun = seconds() if begun is None else begun
        self._mask = mask
        self._waiting: list[tuple[Entry, Masked | None]] = []
        self._splitters = {sent: Splitter(header.profile) for sent in (True, False)}
        if begun is None or connection:
            started = now().isoformat(timespec="microseconds")
            write(f"{replace(header, started=started).to_line(connection)}\n")

    def octets_sent(self, octets: bytes) -> None:
        """Take the frames in octets that go out."""
        self._frames(octets, sent=not self._at_meter)

    def octets_received(self, octets: bytes) -> None:
        """Take the frames in octets that come in."""
        self._frames(octets, sent=self._at_meter)

    def apdu_sent(self, apdu: bytes) -> None:
        """Write an APDU that goes out."""
        self._apdu(apdu, sent=not self._at_meter)

    def apdu_received(self, apdu: bytes) -> None:
        """Write an APDU that came in."""
        self._apdu(apdu, sent=self._at_meter)

    def text(self, octets: bytes, *, sent: bool) -> None:
        """Write octets that hold no secret, such as a readout, as they are."""
        self._waiting.append((Entry(self._at(), sent, "octets", octets, (), self._connection), None))
        self._flush()

    def close(self) -> None:
        """Write what still waits, masked."""
        for splitter in self._splitters.values():
            splitter.close()
        self._flush()

    def _at(self) -> float:
        return self._seconds() - self.begun

    def _apdu(self, apdu: bytes, *, sent: bool) -> None:
        ranges = self._mask(apdu, sent)
        shown = starred(apdu, ranges)
        self._splitters[sent].apdu(apdu, shown)
        self._waiting.append((Entry(self._at(), sent, "apdu", shown, ranges, self._connection), None))
        self._flush()

    def _frames(self, octets: bytes, *, sent: bool) -> None:
        at = self._at()
        for part in self._splitters[sent].feed(octets):
            self._waiting.append((Entry(at, sent, part.kind, b"", connection=self._connection), part))
        self._flush()

    def _flush(self) -> None:
        """Write what is known, in its order."""
        done = 0
        for entry, part in self._waiting:
            if part is not None:
                shown = part.shown
                if shown is None:
                    break
                self._line(replace(entry, octets=shown, masked=part.ranges))
            else:
                self._line(entry)
            done += 1
        del self._waiting[:done]

    def _line(self, entry: Entry) -> None:
        self._write(f"{entry.to_line()}\n")
