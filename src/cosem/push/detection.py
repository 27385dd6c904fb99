"""What stands in a stream of octets: frames of every profile, telegrams and bare APDUs, in any cut, with rubbish between.

At each place the octets decide what begins there. What proves itself by a check
(HDLC, M-Bus, telegrams with a line of their own at both ends, a wrapper whose
length is that of the APDU in it) is *strong*. A bare APDU has only its own
structure: it is *weak*, and gives way to anything strong that begins inside it.
So a message that was cut off hides none that follows, and no cut of the stream
changes what is found in it. Never more than one unfinished candidate is kept.
"""

from __future__ import annotations

from typing import Final

from cosem.link.hdlc.frame import Frame
from cosem.link.hdlc.listener import HdlcListener
from cosem.link.hdlc.parser import Damaged, frame_at, header_is_right, header_is_wrong
from cosem.link.mbus import MbusListener, decode_mbus_frame
from cosem.push.beginnings import INITIATE, MBUS_CONTROLS, SERVICES, next_beginning
from cosem.push.evidence import LLC, is_frame, prefix_size
from cosem.push.findings import BLOCK_CHECK_WRONG as WRONG_CHECK
from cosem.push.inside import Inside
from cosem.push.measuring import Measuring
from cosem.push.piece import Piece
from cosem.push.sizes import BARE_TAGS
from cosem.push.telegram_finding import TelegramFinder, is_telegram, text_framing
from cosem.push.trials import Trials

__all__ = ["LARGEST", "LARGEST_BARE", "Detector"]

LARGEST: Final = 0x10000
"""Octets of the longest message that is put together unless told otherwise."""
LARGEST_BARE: Final = 8 * 1024
"""Octets of the longest APDU that is believed where nothing stands around it."""
_MOST_RUBBISH: Final = 16 * 1024
_STEP: Final = 256  # so many further octets are worth a new look, whatever is waited for
_FEWEST: Final = 6
"""Octets of an APDU that is believed because it can be read; shorter ones come about by chance."""
_HDLC, _MBUS, _TEXT, _WRAPPER, _GATEWAY_TO, _GATEWAY_FROM = 0x7E, 0x68, 0x2F, 0x00, 0xE6, 0xE7
_FLAG: Final = b"\x7e"
_HEADER_WRONG: Final = Damaged("the header check sequence is wrong", b"", None)
_FRAMES: Final = frozenset({_HDLC, _MBUS})
_MBUS_STOP: Final = 0x16
_WRAPPER_HEADER: Final = 8
_LARGEST_READ: Final = 4096
"""Octets of an APDU that is read through to see whether a unit of the wrapper is one."""
_WEAK: Final = BARE_TAGS | {_GATEWAY_TO, _GATEWAY_FROM}


class Detector:
    """Finds what stands in a stream.

    Args:
        check: Whether an HDLC frame must have the right FCS, and a readout the right block check. Without, a frame
            whose header is right is taken, and a readout that is text.
        most: Longest message that is put together, octets.
        joined: Whether the stream began before it was listened to. What has no frame is then taken only after a
            silence, after something that has a frame, where another one without frame ended, or at the very
            begin: the rest of a message that was missed may look like one.

    >>> detector = Detector()
    >>> found = detector.feed(bytes.fromhex("FF00 0001 0001 0067 000D 0F 00000001 00 0201 0600000005 55"))
    >>> found[0].framing, found[0].source, found[0].apdu.hex()
    ('wrapper', 1, '0f000000010002010600000005')
    """

    __slots__ = (
        *(
            "_anchored",
            "_buffer",
            "_check",
            "_framed",
            "_hdlc",
            "_inside",
            "_mbus",
            "_measuring",
            "_most",
            "_need",
            "_telegrams",
            "_torn",
            "_units",
        ),
        *(
            "_begun_before",
            "_gone",
            "_joined",
            "_more",
            "_offset",
            "_passed",
            "_seen",
            "counts",
            "discarded",
            "others",
            "rubbish",
        ),
    )

    def __init__(self, *, check: bool = True, most: int = LARGEST, joined: bool = False) -> None:
        self._joined = self._begun_before = joined
        self._offset = 0  # of the buffer in the stream
        self._more = True
        self._units = False  # good units of the wrapper have come
        self._passed = 0  # where in the stream something without a frame may begin although it was joined
        self._buffer = b""
        self._need = 0
        self._inside: dict[bool, Inside] = {}  # by whether more octets may come
        self._seen = self._gone = 0  # octets there were at the last scan, and that it took
        self._most = most
        self._anchored = True  # the octets before belonged to a wrapper unit, or there are none
        self._framed = (
            False  # good frames have come: what has none around it is what is left of a damaged one
        )
        self._torn = 0  # as far as here, counted from the buffer, octets belong to a damaged frame
        self._check = check
        trials = Trials()
        self._measuring = Measuring(trials)
        self._telegrams = TelegramFinder(trials, check=check)
        self._hdlc: HdlcListener | None = (
            None  # made when the first frame comes: most streams have one framing
        )
        self._mbus: MbusListener | None = None
        self.discarded = 0
        """Octets that belonged to nothing."""
        self.rubbish: bytearray | None = None
        """The last of those octets, if a bytearray is put here; who puts it there empties it."""
        self.counts: dict[str, int] = {}
        """Good frames and telegrams, by framing."""
        self.others: dict[str, int] = {}
        """Frames and telegrams that were damaged, by kind."""

    @property
    def without_apdu(self) -> dict[str, int]:
        """Good frames that carry no APDU, by kind."""
        return {
            f"{name} {kind}": count
            for name, listener in (("hdlc", self._hdlc), ("mbus", self._mbus))
            if listener is not None
            for kind, count in listener.ignored.items()
        }

    @property
    def pending(self) -> int:
        """How many octets are kept because more may belong to them."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> list[Piece]:
        """Return every piece that is whole now."""
        self._buffer += octets
        if len(self._buffer) < self._need:
            return []
        return self._scan(more=True)

    def finish(self) -> list[Piece]:
        """Give up what has begun, at the end or after a silence, and return what is found inside it."""
        found = self._scan(more=False)
        for listener in (self._hdlc, self._mbus):
            if listener is not None:
                listener.idle()
        self._anchored, self._framed, self._torn = True, False, 0
        self._joined = self._units = False
        return found

    def _scan(self, *, more: bool) -> list[Piece]:
        data = self._buffer
        found: list[Piece] = []
        pos, end = 0, len(data)
        self._need = 0
        self._more = more
        self._measuring.forget()
        self._telegrams.forget()
        for inside in self._inside.values():
            inside.moved(self._seen, self._gone, end)
        while pos < end:
            octet = data[pos]
            size = self._strong(data, pos, found, more=more)
            if size > 0:
                self._joined = False
            elif not size and octet in _WEAK and pos >= self._torn and not self._framed:
                size = self._weak(data, pos, found, more=more)
                if size > 0 and self._joined and self._missed(pos, size, found):
                    self._discard(data[pos : pos + size])
                    pos += size
                    continue
            if size > 0:
                pos += size
                self._anchored = octet == _WRAPPER
                self._framed = self._framed or octet in _FRAMES
                continue
            if size < 0:
                if more:
                    # A new look is worth it when the candidate may be whole, or may have been none for a while.
                    self._need = min(-size, end - pos + _STEP)
                    break
                self._cut(data, pos, octet)
                if octet in _FRAMES and is_frame(data, pos, segments=self._mbus is not None):
                    self._torn = max(self._torn, pos - size)
            self._anchored = False
            after = next_beginning(data, pos + 1)
            self._discard(data[pos:after].replace(_FLAG, b""))  # flags alone fill the line
            pos = after
        self._buffer = data[pos:]
        self._seen, self._gone = end, pos
        self._offset += pos
        self._torn = max(self._torn - pos, 0)
        return found

    def _discard(self, octets: bytes) -> None:
        self.discarded += len(octets)
        if self.rubbish is not None:
            self.rubbish += octets
            del self.rubbish[:-_MOST_RUBBISH]

    def _missed(self, pos: int, size: int, found: list[Piece]) -> bool:
        """Take back what was found where the stream was joined, unless something shows that it begins there."""
        place = self._offset + pos
        if place == self._passed:
            self._joined = False
            return False
        self._passed = place + size
        self.counts[found.pop().framing] -= 1
        return True

    def _cut(self, data: bytes, pos: int, octet: int) -> None:
        """Count what has begun and was given up before its end."""
        if octet == _TEXT and is_telegram(data, pos):
            self._count(self.others, f"{text_framing(data, pos)}: the end is missing")
        elif octet in _FRAMES and is_frame(data, pos, segments=self._mbus is not None):
            self._count(self.others, f"{'hdlc' if octet == _HDLC else 'mbus'}: the end is missing")

    def _strong(self, data: bytes, pos: int, found: list[Piece] | None, *, more: bool) -> int:
        """Return how many octets a strong piece at ``pos`` has; 0 for none; minus what is needed to tell.

        Args:
            data: The octets.
            pos: The place.
            found: Where the piece is put; ``None`` if only its size is asked for.
            more: Whether more octets may come.
        """
        octet = data[pos]
        if octet == _HDLC:
            if header_is_wrong(data, pos):
                return self._wrong_header(found)
            frame, size = frame_at(data, pos)
            if frame is None:
                return -size
            return self._frame(frame, pos, size, found)
        if octet == _MBUS:
            return self._long_frame(data, pos, found)
        if octet == _TEXT:
            return self._text(data, pos, found, more=more)
        if octet == _WRAPPER:
            return self._unit(data, pos, found)
        return 0

    def _wrong_header(self, found: list[Piece] | None) -> int:
        """As :meth:`_frame` for a frame of which nothing can be believed: another one may begin inside."""
        if found is not None:
            self._count(self.others, "hdlc: " + _HEADER_WRONG.problem)
            if self._hdlc is not None:
                self._hdlc.take([_HEADER_WRONG])
        return 0

    def _frame(self, frame: Frame | Damaged, pos: int, size: int, found: list[Piece] | None) -> int:
        damaged = isinstance(frame, Damaged)
        if found is not None:
            if isinstance(frame, Damaged):
                self._count(self.others, "hdlc: " + frame.problem)
                if header_is_right(frame.octets, 0):  # so it is a frame, and what is in it is part of one
                    self._torn = max(self._torn, pos + size)
            else:
                self._count(self.counts, "hdlc")
            if self._hdlc is None:
                self._hdlc = HdlcListener(check=self._check, most=self._most, joined=self._begun_before)
            for apdu in self._hdlc.take([frame]):
                found.append(Piece("hdlc", apdu.apdu, None, apdu.source, apdu.destination, apdu.findings))
        # Another frame may begin inside a damaged one.
        return 0 if damaged else size

    def _long_frame(self, data: bytes, pos: int, found: list[Piece] | None) -> int:
        end = len(data)
        size = data[pos + 1] + 6 if pos + 1 < end else 9
        if (
            size < 9
            or (pos + 2 < end and data[pos + 2] != size - 6)
            or (pos + 3 < end and data[pos + 3] != _MBUS)
        ):
            return 0
        if pos + 4 > end:
            return -9
        if pos + 4 < end and data[pos + 4] not in MBUS_CONTROLS:
            return 0
        stop = pos + size
        if stop > end:
            return -size
        # Looked at here, for an error that is made costs more than all of it.
        if data[stop - 1] != _MBUS_STOP or sum(data[pos + 4 : stop - 2]) & 0xFF != data[stop - 2]:
            if found is not None:
                self._count(self.others, "mbus: the checksum is wrong")
                if is_frame(data, pos, segments=self._mbus is not None):
                    self._torn = max(self._torn, stop)
            return 0
        if found is not None:
            frame = decode_mbus_frame(data[pos:stop])
            self._count(self.counts, "mbus")
            if self._mbus is None:
                self._mbus = MbusListener(most=self._most)
            for apdu in self._mbus.take([frame]):
                found.append(Piece("mbus", apdu.apdu, None, apdu.source, apdu.destination, apdu.findings))
        return size

    def _text(self, data: bytes, pos: int, found: list[Piece] | None, *, more: bool) -> int:
        """A telegram of text: its first line names the maker, its last begins with ``!``."""
        telegram, size, problem = self._telegrams.at(data, pos, self._offset + pos, more=more)
        if found is not None:
            if telegram is not None:
                framing = text_framing(data, pos)
                self._count(self.counts, framing)
                found.append(Piece(framing, telegram=telegram, findings=(WRONG_CHECK,) if problem else ()))
            elif problem:
                self._count(self.others, f"{text_framing(data, pos)}: {problem}")
        return size

    def _unit(self, data: bytes, pos: int, found: list[Piece] | None) -> int:
        """A unit of the wrapper whose length is that of the APDU in it."""
        end = len(data)
        if pos + 1 < end and data[pos + 1] != 1:
            return 0
        at = pos + _WRAPPER_HEADER
        if at >= end:
            return -_WRAPPER_HEADER - 1
        size = int.from_bytes(data[at - 2 : at], "big")
        whole = _WRAPPER_HEADER + size
        if not 0 < size <= self._most:
            return 0
        inner = prefix_size(data, at)
        if inner < 0:
            return inner - _WRAPPER_HEADER if -inner <= size else 0
        tag = data[at + inner]
        if tag in BARE_TAGS:
            said = self._measuring.size(data, at + inner, self._offset, self._most, more=self._more)
            if said < 0 and -said > size - inner:
                return 0
            proven = said == size - inner
        elif found is not None and (tag in SERVICES or tag in INITIATE):
            proven = False  # inside something else it would be a number
        else:
            return 0
        after_unit = self._anchored and self._units and found is not None
        if not proven and not after_unit and tag not in BARE_TAGS and size > _LARGEST_READ:
            return 0
        if pos + whole > end:
            # What has a check and stands inside shows that these octets only look like a header.
            if found is not None and self._strong_inside(data, at, end, more=False) > 0:
                return 0
            return -whole
        if not proven and (
            (size < _FEWEST and not after_unit)
            or not self._measuring.is_apdu(data, at + inner, pos + whole, self._offset)
        ):
            # A unit after a unit may hold an APDU that nobody here knows; but nothing else begins in it.
            if not after_unit:
                return 0
            inside = self._anything_inside(data, at, pos + whole)
            if inside:
                return inside - _WRAPPER_HEADER if inside < 0 else 0
        self._take_unit(data, pos, whole, found)
        return whole

    def _anything_inside(self, data: bytes, start: int, stop: int) -> int:
        """As :meth:`_strong_inside`, and 1 if something without a frame stands inside."""
        pos = next_beginning(data, start)
        while pos < stop:
            size = self._measuring.size(data, pos, self._offset, LARGEST_BARE, more=self._more)
            if size > 0:
                return 1
            if size < 0 and self._more:
                return start - pos + size
            pos = next_beginning(data, pos + 1)
        return self._strong_inside(data, start, stop, more=self._more)

    def _take_unit(self, data: bytes, pos: int, whole: int, found: list[Piece] | None) -> None:
        if found is None:
            return
        self._anchored = self._units = True
        self._count(self.counts, "wrapper")
        source = int.from_bytes(data[pos + 2 : pos + 4], "big")
        destination = int.from_bytes(data[pos + 4 : pos + 6], "big")
        found.append(Piece("wrapper", data[pos + _WRAPPER_HEADER : pos + whole], None, source, destination))

    def _weak(self, data: bytes, pos: int, found: list[Piece], *, more: bool) -> int:
        """Return the size of a bare APDU at ``pos``, with an LLC header or a gateway prefix or without; as above."""
        prefix = prefix_size(data, pos)
        if prefix < 0:
            return prefix
        at = pos + prefix
        if data[at] not in BARE_TAGS:
            return 0
        size = self._measuring.size(data, at, self._offset, LARGEST_BARE, more=self._more)
        if not size:
            return 0
        inside = self._strong_inside(data, pos + 1, pos + prefix + size if size > 0 else len(data), more=more)
        if inside:
            return 0 if inside > 0 else inside - 1
        if size < 0:
            return size - prefix
        llc = data[pos : pos + 3] in LLC
        framing = "llc" if llc else "gateway" if prefix else "apdu"
        self._count(self.counts, framing)
        found.append(Piece(framing, data[at if llc else pos : at + size]))
        return prefix + size

    def _strong_inside(self, data: bytes, start: int, stop: int, *, more: bool) -> int:
        """Return 1 if something strong begins in a part; 0 if nothing does; minus what is needed to tell."""
        inside = self._inside.get(more)
        if inside is None:
            inside = self._inside[more] = Inside(more=more)
        return inside.look(data, start, stop, lambda data, pos: self._strong(data, pos, None, more=more))

    @staticmethod
    def _count(counts: dict[str, int], name: str) -> None:
        counts[name] = counts.get(name, 0) + 1
