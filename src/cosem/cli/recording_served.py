"""What ``cosem serve --record`` writes: every connection of a server as a client of it could have recorded it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from cosem.cli.recording import RecordingFile, header_of
from cosem.errors import CosemError

if TYPE_CHECKING:
    from cosem.server import Server
    from cosem.translate.secrets import SecretFinder
    from cosem.transport.recording import Recorder, RecordingHeader
    from cosem.transport.url import Address

__all__ = ["record_server"]

_WRAPPER_HEADER = 8


def record_server(server: Server, file: RecordingFile) -> None:
    """Let what a server and its clients say be recorded."""
    server.watch(lambda address: _Connection(server, file, address))


class _Connection:
    """The recorder of one connection; it begins with the first octets that a client sends."""

    def __init__(self, server: Server, file: RecordingFile, address: Address) -> None:
        self._server = server
        self._file = file
        self._address = address
        self._recorder: Recorder | None = None
        self._finders: dict[tuple[int, int], SecretFinder] = {}
        self._pair = 0, 0

    def octets_received(self, octets: bytes) -> None:
        """Record octets of the client."""
        if self._recorder is None:
            header = _addressed(replace(header_of(self._address), url=""), octets)
            self._recorder = self._file.connection(header, self._mask, at_meter=True)
        self._recorder.octets_received(octets)

    def octets_sent(self, octets: bytes) -> None:
        """Record octets of the meter."""
        if self._recorder is not None:
            self._recorder.octets_sent(octets)

    def apdu_received(self, apdu: bytes, client: int, server: int) -> None:
        """Record an APDU of the client."""
        self._pair = client, server
        if self._recorder is not None:
            self._recorder.apdu_received(apdu)

    def apdu_sent(self, apdu: bytes, client: int, server: int) -> None:
        """Record an APDU of the meter."""
        self._pair = client, server
        if self._recorder is not None:
            self._recorder.apdu_sent(apdu)

    def close(self) -> None:
        """Write what still waits."""
        if self._recorder is not None:
            self._file.end(self._recorder)

    def _mask(self, apdu: bytes, sent: bool) -> tuple[tuple[int, int], ...]:
        """Return where the secrets are: every pair of addresses has a conversation of its own."""
        finder = self._finders.get(self._pair)
        if finder is None:
            from cosem.translate.secrets import SecretFinder

            finder = self._finders[self._pair] = SecretFinder(self._known())
        return finder(apdu, sent)

    def _known(self) -> list[bytes]:
        """Return the secrets of the associations of the logical device; they are masked wherever they stand."""
        device = self._server.devices.get(self._pair[1])
        found = [] if device is None else [e.association_object.current_secret() for e in device.associations]
        return [each for each in found if each]


def _addressed(header: RecordingHeader, octets: bytes) -> RecordingHeader:
    """Return a header with the addresses that stand in the first frame, if one can be found."""
    if header.profile == "wrapper":
        if len(octets) < _WRAPPER_HEADER:
            return header
        client, server = (int.from_bytes(octets[at : at + 2], "big") for at in (2, 4))
        return replace(header, client=client, server=server)
    from cosem.link.hdlc.parser import FrameParser

    with suppress(CosemError):
        for frame in FrameParser().feed(octets):
            return replace(header, client=frame.source.upper, server=frame.destination.upper)
    return header
