"""Pushes: octets in, messages out; everything between is found out here.

::

    octets -> framing -> segments -> gateway -> general blocks -> protection -> notification -> values
"""

from __future__ import annotations

from collections import deque
from typing import Final

from cosem.apdu import decode as decode_apdu
from cosem.errors import DecodeError, FrameError
from cosem.link.gateway import split_gateway
from cosem.link.hdlc.frame import Frame
from cosem.link.hdlc.parser import frame_at
from cosem.link.mbus import MBUS_ENCRYPTED
from cosem.push.beginnings import STRONG, STRONG_HEAD
from cosem.push.blocks import BlockReassembly
from cosem.push.detection import LARGEST, LARGEST_BARE, Detector
from cosem.push.draft import Draft, known_message, positions
from cosem.push.findings import BLOCKS_LOST, NO_FRAME
from cosem.push.layouts import Layouts, known_layouts
from cosem.push.message import PushMessage, StrictFindings
from cosem.push.opening import KeySource, Opener
from cosem.push.piece import Piece
from cosem.push.shapes import Shapes
from cosem.push.sizes import apdu_size
from cosem.push.telegram_finding import BLOCK_CHECK_WRONG
from cosem.security.envelope import is_protected
from cosem.security.keys import Keys
from cosem.types.making import octets as octets_of

__all__ = ["Parser", "decode"]

_WRAPPER: Final = b"\x00\x01"
_WRAPPER_HEADER: Final = 8
_FEWEST: Final = 5
_FLAG: Final = 0x7E
_GENERAL_BLOCK: Final = b"\xe0"
_TEXT: Final = b"/"
_GENERAL_GLO_CIPHERING: Final = 0xDB
_FREQUENT: Final = frozenset({b"\x0f", b"\xdb"})
_shapes: Final = Shapes()
"""Of the messages that :func:`decode` was given with the layouts that come with cosem."""


def decode(
    octets: bytes,
    keys: KeySource = None,
    *,
    strict: bool = False,
    layouts: Layouts | None = None,
    decrypt_unverified: bool = False,
) -> list[PushMessage]:
    """Return the messages in octets that are all there, whatever is around and between them.

    Args:
        octets: Frames of any profile, telegrams, bare APDUs; one APDU or one value of Data by itself.
        keys: The keys of the meter, a store of the keys of many, keys by system title, or an encryption key.
        strict: Whether anything that was tolerated or assumed is an error.
        layouts: What is known beforehand; what comes with cosem by default.
        decrypt_unverified: Whether to decrypt where the tag cannot be checked, because there is none or because
            the authentication key is not known. Such messages say ``unverifiable``.

    Raises:
        StrictFindings: ``strict``, and a message is not as the standard has it.
        ConfigurationError: The text of a key cannot be read.
        ConversionError: A text or a number was given instead of octets.

    Where nothing else is found, frames whose header is right are read although their FCS is wrong, and named so;
    :class:`Parser` never does that unless it is told to.

    >>> octets = bytes.fromhex("E6E700 0F 40000000 00 0101 0203 0906 0100010700FF 06 00000118 0202 0F00 161B")
    >>> (message,) = decode(octets)
    >>> print(message.maker, message["1-0:1.7.0"])
    Aidon 1-0:1.7.0*255 280 W
    """
    octets = octets_of(octets, "pushed message")
    if layouts is None and octets[:1] in _FREQUENT:
        message = _alone(octets, _opener_of(keys, decrypt_unverified=decrypt_unverified))
        if message is not None and not (strict and message.findings):
            return [message]
    shapes = _shapes if layouts is None else None
    parser = Parser(
        keys, strict=strict, layouts=layouts, decrypt_unverified=decrypt_unverified, _shapes=shapes
    )
    messages = parser.feed(octets)
    if strict or parser.pending or not messages:
        messages += parser.finish()
    if not messages and parser.damaged:
        parser = Parser(
            keys, strict=strict, layouts=layouts, decrypt_unverified=decrypt_unverified, check=False
        )
        messages = [*parser.feed(octets), *parser.finish()]
    return messages


class Parser:
    """Finds the messages in a stream that comes in any cut.

    Framing, ciphering and maker are found out for each message. One unfinished message of each kind is kept, and
    nothing that grows with the number of messages.

    Args:
        keys: As in :func:`decode`.
        strict: As in :func:`decode`. What came before the message that raises is given first, and the next call
            raises; what follows it is given by the call after that.
        layouts: As in :func:`decode`.
        decrypt_unverified: As in :func:`decode`.
        check: Whether an HDLC frame must have the right FCS.
        most: Longest message that is put together, octets.
        joined: Whether the stream began before it was listened to, as that of a port. What has no frame is then
            given out only where something shows that it begins there: a silence (:meth:`idle`), a frame or
            another such message before it, or the begin of what was fed.

    Raises:
        ConfigurationError: The text of a key cannot be read.

    >>> parser = Parser()
    >>> octets = bytes.fromhex("0F 00000001 00 0202 0906 0000600100FF 0903 313233")
    >>> parser.feed(octets[:9]), [str(value) for value in parser.feed(octets[9:])[0].values]
    ([], ['0-0:96.1.0*255 123'])
    """

    def __init__(
        self,
        keys: KeySource = None,
        *,
        strict: bool = False,
        layouts: Layouts | None = None,
        decrypt_unverified: bool = False,
        check: bool = True,
        most: int = LARGEST,
        joined: bool = False,
        _shapes: Shapes | None = None,
    ) -> None:
        self.detector = Detector(check=check, most=most, joined=joined)
        self._opener = _opener_of(keys, decrypt_unverified=decrypt_unverified)
        self._strict = strict
        self._layouts = layouts if layouts is not None else known_layouts()
        self._blocks = BlockReassembly(most)
        self._lost = 0
        self._most = most
        self._frames = 0  # before the stream began
        self._whole: bytearray | None = (
            None if joined else bytearray()
        )  # all that came, while nothing was found
        self._shapes = Shapes() if _shapes is None else _shapes
        self._pieces: deque[Piece] = deque()
        self._refused: StrictFindings | None = None

    @property
    def damaged(self) -> bool:
        """Whether frames have come that were damaged."""
        return any(
            (name.startswith("hdlc") and "the end" not in name) or name.endswith(BLOCK_CHECK_WRONG)
            for name in self.detector.others
        )

    @property
    def frames(self) -> int:
        """How many good frames and telegrams have come."""
        return sum(self.detector.counts.values())

    @property
    def pending(self) -> int:
        """How many octets are kept because more may belong to them."""
        return self.detector.pending

    def feed(self, octets: bytes) -> list[PushMessage]:
        """Return every message that is whole now.

        Raises:
            StrictFindings: The parser is strict, and a message is not as the standard has it.
        """
        self._pieces.extend(self.detector.feed(octets))
        if self._whole is not None:
            if self.frames > self._frames or len(self._whole) + len(octets) > self._most:
                self._whole = None
            else:
                self._whole += octets
        return self._messages()

    def idle(self) -> list[PushMessage]:
        """Give up the frame that has begun, after a silence, and return what is found inside it.

        Raises:
            StrictFindings: As :meth:`feed`.
        """
        self._pieces.extend(self.detector.finish())
        self._frames, self._whole = self.frames, bytearray()
        return self._messages()

    def finish(self) -> list[PushMessage]:
        """Give up all that has begun, at the end, and return what is found inside it; a new stream may follow.

        Where nothing at all was found, all that came may be one APDU or one value of Data by itself.

        Raises:
            StrictFindings: As :meth:`feed`.
        """
        whole, frames = self._whole, self._frames
        messages = self.idle()
        self._blocks.drop()
        if whole and not messages and self.frames == frames:
            message = self.whole(bytes(whole))
            messages = [] if message is None else [message]
        return messages

    def _messages(self) -> list[PushMessage]:
        refused, self._refused = self._refused, None
        if refused is not None:
            raise refused
        messages: list[PushMessage] = []
        while self._pieces:
            message = self._message(self._pieces.popleft())
            if message is None:
                continue
            if self._strict and message.findings:
                refused = StrictFindings(message.findings, message)
                if not messages:
                    raise refused
                self._refused = refused  # what came before it is not lost
                break
            messages.append(message)
        return messages

    def whole(self, octets: bytes) -> PushMessage | None:
        """Return what octets say that are one APDU, with a wrapper or without, or one value of Data.

        Raises:
            StrictFindings: As :meth:`feed`.
        """
        piece = Piece("apdu", octets)
        if octets[:2] == _WRAPPER and int.from_bytes(octets[6:8], "big") == len(octets) - _WRAPPER_HEADER > 0:
            source, destination = (int.from_bytes(octets[at : at + 2], "big") for at in (2, 4))
            piece = Piece("wrapper", octets[_WRAPPER_HEADER:], None, source, destination)
        message = self._message(piece)
        if (
            message is not None
            and message.apdu is None
            and message.system_title is None
            and not message.values
        ):
            message = _data(octets)  # a tag alone does not make an APDU
        elif message is not None and "trailing-octets" in message.findings:
            message = None  # the begin of rubbish
        if message is not None and self._strict and message.findings:
            raise StrictFindings(message.findings, message)
        return message

    def _message(self, piece: Piece) -> PushMessage | None:
        """Return the message of a piece, or ``None`` while blocks of it are missing."""
        apdu = piece.apdu
        if piece.findings and piece.findings[0].startswith(MBUS_ENCRYPTED):
            mode = piece.findings[0].removeprefix(MBUS_ENCRYPTED)
            return Draft(piece).not_understood(
                f"encrypted outside DLMS, by the transport layer of M-Bus (mode {mode})"
            )
        if apdu[:1] in _FREQUENT and self._blocks.lost == self._lost:
            known = _of_known_shape(piece, self._opener, self._shapes)
            if known is not None:
                return known
        draft = Draft(piece)
        if piece.telegram is not None:
            return draft.text(piece.telegram, self._layouts)
        try:
            prefix, apdu = split_gateway(piece.apdu)
        except FrameError:
            return draft.not_understood("the gateway prefix is cut off")
        if prefix is not None:
            draft.octets = apdu
            if piece.framing != "gateway":
                draft.framing.append("gateway")
        if apdu[:1] == _GENERAL_BLOCK:
            joined = self._block(apdu, (piece.framing, piece.source, piece.destination, prefix))
            if joined is None:
                return None
            draft.framing.append("general-block-transfer")
            apdu = draft.octets = joined
        if self._blocks.lost > self._lost:
            self._lost = self._blocks.lost
            draft.findings.append(BLOCKS_LOST)
        if not apdu:
            return draft.not_understood("there are no octets")
        if is_protected(apdu[0]):
            inspection = self._opener.open(apdu)
            draft.opened(apdu, inspection, self._layouts)
            if inspection.plain is None:
                return draft.message()
            apdu = inspection.plain
            if apdu[:1] == _TEXT:
                return draft.ciphered_text(apdu, self._layouts)
        draft.read(apdu, self._layouts, self._shapes)
        if 0x60 <= apdu[0] <= 0x63 and draft.apdu is not None:
            draft.initiate(apdu, self._opener, self._layouts)
        return draft.message()

    def _block(self, apdu: bytes, sender: object) -> bytes | None:
        try:
            block = decode_apdu(apdu)
        except DecodeError:
            self._blocks.lost += 1
            return None
        return self._blocks.add(sender, block)


def _alone(octets: bytes, opener: Opener) -> PushMessage | None:
    """Return the message of a notification that has nothing around it and a shape that is known.

    It is what a :class:`Parser` finds; but who decodes message by message makes one of those for each.
    """
    if apdu_size(octets, 0, LARGEST_BARE) != len(octets):
        return None
    found = STRONG.search(octets, 1)
    while found is not None:
        pos = found.start()
        if pos + STRONG_HEAD > len(octets):
            break  # what begins there is cut off
        if octets[pos] != _FLAG or isinstance(frame_at(octets, pos)[0], Frame):
            return None
        found = STRONG.search(octets, pos + 1)
    return _of_known_shape(Piece("apdu", octets), opener, _shapes)


def _of_known_shape(piece: Piece, opener: Opener, shapes: Shapes) -> PushMessage | None:
    """Return the message of a notification, in clear or verified, of which one of the same shape came before."""
    apdu = piece.apdu
    if apdu[0] != _GENERAL_GLO_CIPHERING:
        known = shapes.read(apdu, None)
        return None if known is None else known_message(piece, (piece.framing,), None, known)
    opened = opener.verified(apdu)
    if opened is None:
        return None
    known = shapes.read(opened[0], opened[1].title)
    if known is None:
        return None
    return known_message(piece, (piece.framing, "general-glo-ciphering"), opened, known)


_latest: list[tuple[Keys, bool, Opener]] = []
"""The keys that were used last, made ready: who decodes message by message brings the same ones each time."""


def _opener_of(keys: KeySource, *, decrypt_unverified: bool) -> Opener:
    if not isinstance(keys, Keys):  # a store or mapping may change
        return Opener(keys, decrypt_unverified=decrypt_unverified)
    for known, asked, opener in _latest:
        if known is keys and asked is decrypt_unverified:
            return opener
    opener = Opener(keys, decrypt_unverified=decrypt_unverified)
    _latest[:] = [(keys, decrypt_unverified, opener)]
    return opener


def _data(octets: bytes) -> PushMessage | None:
    """Return the message of one value of Data; ``None`` if the octets are none."""
    from cosem.codec.data import decode_data

    if len(octets) < _FEWEST:
        return None  # a few octets are a value by chance
    try:
        raw = decode_data(octets)
    except DecodeError:
        return None
    values = tuple(positions(raw if isinstance(raw, tuple) else [raw]))
    return PushMessage(values, findings=(NO_FRAME,), framing=("data",), apdu_name="data", octets=octets)
