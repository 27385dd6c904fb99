"""Redaction: recordings without what tells which meter it was, and whose.

Serial numbers, device names, system titles, texts and measured values get
pseudonyms of the same length; names of objects, moments, units, states and the
structure of everything stay, so that the recording decodes as before. What is
not known to be harmless counts as personal. Ciphered contents become noise:
without their system titles nobody could open them anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from cosem.errors import CosemError, FrameError
from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.frame import decode_frame, encode_frame
from cosem.translate.blocks import Joined, Joiner
from cosem.translate.conversation import Conversation, Place, places_of
from cosem.translate.data_items import date_time_note
from cosem.translate.data_places import elements_of
from cosem.translate.explain import Explanation, explain
from cosem.translate.harmless import has_plain_numbers, is_kept, is_selected, open_parts_of
from cosem.translate.pseudonyms import Pseudonyms
from cosem.translate.secrets import after_length
from cosem.transport.recording import Entry, Recording
from cosem.transport.reframing import Splitter

__all__ = ["redact"]

Edits: TypeAlias = list[tuple[int, bytes]]
"""Where to write which octets."""
_TITLES: Final = frozenset(
    {
        *(
            f"{who}-{what}"
            for who in ("calling", "called", "responding")
            for what in ("ap-title", "ae-qualifier")
        ),
        "implementation-information",
    }
)
_LENGTH_FIRST: Final = frozenset(
    {
        "system-title",
        "originator-system-title",
        "recipient-system-title",
        "other-information",
        "key-ciphered-data",
        "signature",
    }
)
_NOISE: Final = frozenset({"ciphertext", "authentication-tag", "plaintext"})
_OBJECT_IDENTIFIER: Final = bytes.fromhex("6085740508")
_LOGICAL_NAME: Final = 6
_LARGEST_MEDIUM: Final = 15
_WIDE: Final = 2
"""Octets of the shortest number that can tell something."""
_SHORTEST_LEFTOVER: Final = 5
"""A shorter string may stand anywhere by accident."""
_VARIED: Final = 3
_LOWEST_DEVICE: Final = 0x10
_BROADCASTS: Final = frozenset({0x7F, 0x3FFF})
"""Lower addresses that are not of one device."""
_STAR: Final = b"*"


def redact(recording: Recording, key: bytes, *, keep_values: bool = False) -> Recording:
    """Return a recording that can be shared.

    Args:
        recording: The recording.
        key: Random octets that nobody keeps: the pseudonyms are made with them.
        keep_values: Whether numbers stay: readings, for one who must look into them.
    """
    return _Redaction(Pseudonyms(key), keep_values=keep_values).run(recording)


@dataclass(slots=True)
class _Draft:
    """An APDU that is being redacted."""

    entry: Entry
    octets: bytearray
    starred: bool = False


@dataclass(slots=True)
class _Redaction:
    names: Pseudonyms
    keep_values: bool
    conversations: defaultdict[int, Conversation] = field(default_factory=lambda: defaultdict(Conversation))
    joiners: defaultdict[int, Joiner[_Draft]] = field(default_factory=lambda: defaultdict(Joiner))
    conversation: Conversation = field(default_factory=Conversation)

    def run(self, recording: Recording) -> Recording:
        drafts = [
            _Draft(entry, bytearray(entry.octets)) if entry.kind == "apdu" else None
            for entry in recording.entries
        ]
        self._learn(recording)
        for draft in drafts:
            if draft is not None:
                self._apdu(draft)
        for joiner in self.joiners.values():
            for rest in joiner.rest():
                self._scramble(rest)
        for draft in drafts:
            if draft is not None:
                self._leftovers(draft)
        splitters = {
            (number, sent): Splitter(header.profile)
            for number, header in enumerate(recording.headers)
            for sent in (True, False)
        }
        parts: list[Any] = []
        for entry, draft in zip(recording.entries, drafts, strict=True):
            if draft is not None:
                splitters[entry.connection, entry.sent].apdu(entry.octets, bytes(draft.octets))
                ranges = ((1, len(entry.octets)),) if draft.starred else entry.masked
                parts.append(replace(entry, octets=bytes(draft.octets), masked=ranges))
            elif entry.kind == "frame":
                found = splitters[entry.connection, entry.sent].feed(entry.octets)
                parts.append((entry, found[0] if len(found) == 1 else None))
            else:
                parts.append(replace(entry, octets=self._sign_on(entry.octets)))
        for splitter in splitters.values():
            splitter.close()
        entries = tuple(part if isinstance(part, Entry) else self._frame(*part) for part in parts)
        header, *others = (replace(each, url="", redacted=True) for each in recording.headers)
        return Recording(header, entries, recording.cut, tuple(others))

    def _learn(self, recording: Recording) -> None:
        """Let every conversation know from its beginning what one of them tells later: which short name is of what."""
        told: dict[int, int] = {}
        followed: defaultdict[int, Conversation] = defaultdict(Conversation)
        for entry in recording.entries:
            if entry.kind == "apdu":
                try:
                    followed[entry.connection].places(explain(entry.octets), sent=entry.sent)
                except CosemError:
                    continue
        for conversation in followed.values():
            told |= conversation.base_names
        for number in range(len(recording.headers)):
            self.conversations[number].know(told)

    # --- APDUs --------------------------------------------------------------------------------------

    def _apdu(self, draft: _Draft) -> None:
        octets = draft.entry.octets
        self.conversation = self.conversations[draft.entry.connection]
        try:
            explanation = explain(octets)
        except CosemError:
            draft.octets[1:] = _STAR * (len(octets) - 1)
            draft.starred = True
            return
        for start, changed in self._edits(explanation, sent=draft.entry.sent, draft=draft):
            draft.octets[start : start + len(changed)] = changed

    def _edits(self, explanation: Explanation, *, sent: bool, draft: _Draft | None) -> Edits:
        octets = explanation.octets
        edits: Edits = []
        for start, stop, noise in _envelope(explanation):
            original = octets[start:stop]
            if original:
                edits.append((start, self.names.noise(original) if noise else self.names.string(original)))
        for place in self.conversation.places(explanation, sent=sent):
            if not place.raw:
                edits += self._of_data(place, octets)
            elif draft is not None:
                joined = self.joiners[draft.entry.connection].add(draft, explanation, place, sent=sent)
                if joined is not None:
                    self._joined(joined)
            else:
                start = after_length(octets, place.item.start)
                edits.append((start, self.names.noise(octets[start : place.item.stop])))
        return edits

    def _joined(self, joined: Joined[_Draft]) -> None:
        """Redact what came in blocks, and put it back into them."""
        for candidate, prefix in joined.candidates():
            try:
                explanation = explain(candidate, strict=prefix > 0)
            except CosemError:
                continue
            if prefix:
                # Only a shape that can be read: of what its Data are the blocks have told.
                places = places_of(explanation.root, joined.targets)
                edits = [edit for place in places for edit in self._of_data(place, candidate)]
            else:
                edits = self._edits(explanation, sent=joined.sent, draft=None)
            whole = bytearray(candidate)
            for start, changed in edits:
                whole[start : start + len(changed)] = changed
            self._put_back(joined, bytes(whole[prefix:]))
            return
        self._scramble(joined)

    def _scramble(self, joined: Joined[_Draft]) -> None:
        self._put_back(joined, self.names.noise(joined.octets))

    @staticmethod
    def _put_back(joined: Joined[_Draft], octets: bytes) -> None:
        at = 0
        begins: dict[int, int] = {}
        for number, draft, start, stop in joined.pieces:
            # A block that is repeated says the same again.
            if number not in begins:
                begins[number] = at
                at += stop - start
            begin = begins[number]
            draft.octets[start:stop] = octets[begin : begin + stop - start]

    def _leftovers(self, draft: _Draft) -> None:
        """Replace what was found to tell something wherever else it stands."""
        octets = bytes(draft.octets)
        for original, changed in self.names.given.items():
            if len(original) >= _SHORTEST_LEFTOVER and len(set(original)) >= _VARIED and original in octets:
                octets = octets.replace(original, changed)
        draft.octets[:] = octets

    # --- Data ---------------------------------------------------------------------------------------

    def _of_data(self, place: Place, octets: bytes) -> Iterator[tuple[int, bytes]]:
        selects = place.parameters and all(map(is_selected, place.targets))
        numbers_stay = self.keep_values or selects or has_plain_numbers(place.targets)
        kept = bool(place.targets) and not selects and all(map(is_kept, place.targets))
        parts = [
            part for target in place.targets if not selects for part in open_parts_of(target, place.item)
        ]
        for item, targets in parts:
            yield from self._of_data(Place(item, targets), octets)
        elements = list(elements_of(place.item, octets))
        for index, (kind, start, stop) in enumerate(elements):
            original = octets[start:stop]
            if not original or kept or any(item.start <= start < item.stop for item, _ in parts):
                continue
            if kind in ("octet-string", "visible-string"):
                if not _is_harmless(original):
                    yield start, self.names.string(original)
            elif kind == "utf8-string":
                yield start, self.names.text(original)
            elif (
                not numbers_stay
                and len(original) >= _WIDE
                and not (kind == "long-unsigned" and _is_of_name(octets, elements, index))
            ):
                yield start, self.names.number(kind, original)

    # --- frames -------------------------------------------------------------------------------------

    def _frame(self, entry: Entry, part: Any) -> Entry:
        """Return a frame with what its APDU says now, and with another address of the device."""
        if part is None or part.shown is None:
            return replace(entry, octets=_STAR * len(entry.octets), masked=((0, len(entry.octets)),))
        ranges = part.ranges or entry.masked
        octets = part.shown
        try:
            frame = decode_frame(octets)
        except FrameError:
            return replace(entry, octets=octets, masked=ranges)
        changed = frame._replace(
            source=self._address(frame.source), destination=self._address(frame.destination)
        )
        return replace(entry, octets=encode_frame(changed), masked=ranges)

    def _address(self, address: HdlcAddress) -> HdlcAddress:
        """Return an address with another device: meters often make theirs of their serial numbers."""
        if address.lower is None or address.lower < _LOWEST_DEVICE or address.lower in _BROADCASTS:
            return address
        span = 0x7F if address.lower < 0x7F else 0x3FFF
        low = _LOWEST_DEVICE if span == 0x7F else 0x80
        noise = int.from_bytes(self.names.noise(address.lower.to_bytes(2, "big") * 4), "big")
        return replace(address, lower=low + noise % (span - low))

    def _sign_on(self, octets: bytes) -> bytes:
        """Return a sign-on without the address of the device and without what follows the maker's letters."""
        head = next((size for start, size in ((b"/?", 2), (b"/", 5)) if octets.startswith(start)), 0)
        if not head:
            # An acknowledgement, or what nobody can tell.
            return octets if octets.startswith(b"\x06") else _STAR * len(octets)
        text = octets[head:].rstrip(b"!\r\n")
        return octets[:head] + (self.names.string(text) if text else b"") + octets[head + len(text) :]


def _envelope(explanation: Explanation) -> Iterator[tuple[int, int, bool]]:
    """Return where titles and ciphered contents lie, and whether noise shall take their place."""
    octets, value = explanation.octets, explanation.value
    for _, item in explanation.root.walk():
        if item.name in _TITLES:
            held = getattr(value, item.name.replace("-", "_"), None)
            size = len(held) if isinstance(held, bytes) else 0
            yield item.stop - size, item.stop, False
        elif item.name in _LENGTH_FIRST and not item.children:
            start = after_length(octets, item.start)
            yield min(start, item.stop), item.stop, item.name in ("key-ciphered-data", "signature")
        elif item.name in _NOISE:
            yield item.start, item.stop, True


def _is_logical_name(octets: bytes) -> bool:
    """Return whether octets name an object; six zeros name none."""
    return len(octets) == _LOGICAL_NAME and (
        (octets[5] == 0xFF and octets[0] <= _LARGEST_MEDIUM) or not any(octets)
    )


def _is_harmless(octets: bytes) -> bool:
    """Return whether a string is the name of an object, a moment, or a name of the standard."""
    return _is_logical_name(octets) or bool(date_time_note(octets)) or octets.startswith(_OBJECT_IDENTIFIER)


def _is_of_name(octets: bytes, elements: list[tuple[str, int, int]], index: int) -> bool:
    """Return whether a number is a class_id or a data_index: it stands beside the logical name of an object."""
    before = elements[max(index - 3, 0) : index]
    captured = [kind for kind, *_ in before[-3:]] == ["long-unsigned", "octet-string", "integer"]
    return any(_names_object(octets, each) for each in elements[index + 1 : index + 3]) or (
        captured and _names_object(octets, before[1])
    )


def _names_object(octets: bytes, element: tuple[str, int, int]) -> bool:
    kind, start, stop = element
    return kind == "octet-string" and _is_logical_name(octets[start:stop])
