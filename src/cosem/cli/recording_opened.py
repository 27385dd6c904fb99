"""Ciphered messages of a recording, opened with keys: each with the titles and the dedicated key of its association."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cosem.cli.deciphering import Deciphering, Opened
from cosem.errors import CosemError
from cosem.security.inspection import Inspection, Verdict

if TYPE_CHECKING:
    from cosem.transport.recording import Entry, Recording

__all__ = ["open_recording"]

_AARQ, _AARE, _BLOCK = 0x60, 0x61, 0xE0
_LONGEST: Final = 1 << 24
"""Octets that are joined of blocks."""


def open_recording(recording: Recording, deciphering: Deciphering) -> dict[int, Opened]:
    """Return what can be said of the ciphered messages of a recording, by their places among its entries.

    What came in general blocks is said of at the last of them.
    """
    associations: dict[int, _Association] = {}
    found: dict[int, Opened] = {}
    for place, entry in enumerate(recording.entries):
        if entry.kind != "apdu":
            continue
        association = associations.get(entry.connection)
        if association is None:
            redacted = recording.headers[entry.connection].redacted
            association = associations[entry.connection] = _Association(deciphering, redacted=redacted)
        opened = association.take(entry)
        if opened is not None:
            found[place] = opened
    return found


class _Association:
    """What the messages of one connection have told so far."""

    def __init__(self, deciphering: Deciphering, *, redacted: bool) -> None:
        self._deciphering = deciphering
        self._redacted = redacted
        self._titles: dict[bool, bytes | None] = {True: None, False: None}
        self._dedicated: bytes | None = None
        self._blocks: dict[bool, bytearray] = {True: bytearray(), False: bytearray()}
        self._masked: dict[bool, bool] = {True: False, False: False}

    def take(self, entry: Entry) -> Opened | None:
        octets, masked = entry.octets, bool(entry.masked)
        if octets[0] == _BLOCK:
            joined = self._joined(entry)
            if joined is None:
                return None
            octets, masked = joined, self._masked[entry.sent]
        elif octets[0] in (_AARQ, _AARE):
            self._begin(octets, sent=entry.sent)
        opened = self._deciphering.open_of(
            octets,
            self._titles[entry.sent],
            self._titles[False],
            sent=entry.sent,
            dedicated=self._dedicated,
        )
        if opened is None:
            return None
        if octets[0] == _AARQ and opened.explanation is not None:
            self._dedicated = getattr(opened.explanation.value, "dedicated_key", None)
        if opened.failed and (masked or self._redacted):
            # It is not what was sent, and nobody changed it on the way.
            reason = "the recording is redacted" if self._redacted else "secrets in it are masked"
            return Opened(Inspection(Verdict.UNVERIFIABLE, reason=reason), None)
        return opened

    def _begin(self, octets: bytes, *, sent: bool) -> None:
        """Learn the titles of both sides."""
        from cosem import apdu

        try:
            said: Any = apdu.decode(octets, findings=[])
        except CosemError:
            return
        title = getattr(said, "calling_ap_title" if sent else "responding_ap_title", None)
        if sent:
            self._titles = {True: None, False: None}
            self._dedicated = None
        if title:
            self._titles[sent] = bytes(title)

    def _joined(self, entry: Entry) -> bytes | None:
        """Return what general blocks carried, with the last of them."""
        from cosem.apdu import decode
        from cosem.apdu.block_transfer import GeneralBlockTransfer

        try:
            block = decode(entry.octets, findings=[])
        except CosemError:
            return None
        if not isinstance(block, GeneralBlockTransfer) or not block.block_data:
            return None
        whole = self._blocks[entry.sent]
        if block.block_number <= 1:
            whole.clear()
            self._masked[entry.sent] = False
        self._masked[entry.sent] |= bool(entry.masked)
        if len(whole) < _LONGEST:
            whole += block.block_data
        if not block.last_block:
            return None
        octets = bytes(whole)
        whole.clear()
        return octets
