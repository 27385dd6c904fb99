"""Recordings on the command line: made by every verb that talks, read by those that explain, play and redact them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConversionError, CosemError
from cosem.transport.observing import Observer

if TYPE_CHECKING:
    from cosem.transport.recording import Mask, Recorder, Recording, RecordingHeader
    from cosem.transport.url import Address

__all__ = [
    "Observers",
    "RecordingFile",
    "add_record_option",
    "header_of",
    "naming",
    "read_recording",
    "recorded",
    "recording_each",
]

_MOST: Final = 1024 * 1024 * 1024
"""Octets that are read of a recording."""
_HDLC_SCHEMES: Final = frozenset({"hdlc+tcp", "serial", "rfc2217", "pty"})


class Observers(Observer):
    """Several observers of one connection.

    Args:
        observers: Who watches; each is told of everything.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)

    def octets_sent(self, octets: bytes) -> None:
        """Tell of octets that go to the line."""
        for observer in self._observers:
            observer.octets_sent(octets)

    def octets_received(self, octets: bytes) -> None:
        """Tell of octets that came from the line."""
        for observer in self._observers:
            observer.octets_received(octets)

    def apdu_sent(self, apdu: bytes) -> None:
        """Tell of an APDU that goes to the link."""
        for observer in self._observers:
            observer.apdu_sent(apdu)

    def apdu_received(self, apdu: bytes) -> None:
        """Tell of an APDU that the link found."""
        for observer in self._observers:
            observer.apdu_received(apdu)


def add_record_option(group: Any) -> None:
    """Declare the option that records a connection."""
    group.add_argument(
        "--record",
        metavar="FILE",
        help="write all frames and APDUs to a file, with passwords, proofs and keys masked; see cosem decode --file, "
        "cosem serve --replay and cosem redact",
    )


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Let errors of a file that is open say which one it is, for example that there is no room for it."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or not path:
            raise
        raise OSError(error.errno, error.strerror or str(error), path) from None


class RecordingFile:
    """A file that ``--record`` writes: every connection of a verb, one after the other or at once.

    Args:
        name: The file; only its owner may read it.
        goes_on: What is left of an earlier part of the same run, whose recording goes on.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, name: str, goes_on: RecordingFile | None = None) -> None:
        self.begun: float | None = None if goes_on is None else goes_on.begun
        self.connections: int = 0 if goes_on is None else goes_on.connections
        # What a conversation says concerns its owner only.
        mode = os.O_TRUNC if goes_on is None else os.O_APPEND
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | mode, 0o600)
        self._recorders: set[Recorder] = set()
        self._name = name
        self._file = os.fdopen(descriptor, "w", encoding="ascii", buffering=1)

    def _write(self, text: str) -> None:
        with naming(self._name):
            self._file.write(text)

    def connection(self, header: RecordingHeader, mask: Mask, *, at_meter: bool = False) -> Recorder:
        """Return what records the next connection.

        Args:
            header: What is known of it.
            mask: Finds its secrets.
            at_meter: Whether the meter is observed, and not the client.
        """
        import time
        from datetime import UTC, datetime

        from cosem.transport.recording import Recorder

        recorder = Recorder(
            self._write,
            header,
            now=lambda: datetime.now(UTC),
            seconds=time.monotonic,
            mask=mask,
            begun=self.begun,
            connection=self.connections,
            at_meter=at_meter,
        )
        self.begun = recorder.begun
        self.connections += 1
        self._recorders.add(recorder)
        return recorder

    def end(self, recorder: Recorder) -> None:
        """Write what still waits of a connection that is gone."""
        if recorder in self._recorders:
            self._recorders.remove(recorder)
            recorder.close()

    def close(self) -> None:
        """Write what still waits, and close the file."""
        try:
            for recorder in self._recorders:
                recorder.close()
            self._recorders.clear()
        finally:
            with naming(self._name):
                self._file.close()


@contextmanager
def recording_each(name: str | None) -> Iterator[Callable[[Address], Recorder] | None]:
    """Give what records each connection that is tried, if a file is named."""
    if name is None:
        yield None
        return
    from cosem.translate.secrets import SecretFinder

    with closing(RecordingFile(name)) as file:
        yield lambda address: file.connection(header_of(address), SecretFinder())


@contextmanager
def recorded(options: argparse.Namespace, secrets: Iterable[bytes | None]) -> Iterator[Observer | None]:
    """Give what writes the recording that the options ask for; ``None`` if they ask for none.

    Args:
        options: Those of a verb that connects.
        secrets: Octets that are masked wherever they stand.

    Raises:
        OSError: The file cannot be written.
    """
    if options.record is None:
        yield None
        return
    from cosem.translate.secrets import SecretFinder
    from cosem.transport.url import parse_url

    # A verb that connects again, after a break or to another meter, goes on with its recording.
    file = options.recording = RecordingFile(options.record, getattr(options, "recording", None))
    header = header_of(parse_url(options.url), client=options.client, server=options.server)
    with closing(file):
        yield file.connection(header, SecretFinder([each for each in secrets if each is not None]))


def header_of(address: Address, *, client: int | None = None, server: int | None = None) -> RecordingHeader:
    """Return what is known of a connection by its URL and options."""
    from cosem.transport.recording import RecordingHeader

    hdlc = address.scheme in _HDLC_SCHEMES and address.options.get("framing") != "wrapper"
    return RecordingHeader(
        profile="hdlc" if hdlc else "wrapper",
        url=str(address),
        client=address.number("client", 16) if client is None else client,
        server=address.number("server", 1) if server is None else server,
    )


def read_recording(name: str) -> Recording:
    """Return the recording in a file; a last line that is cut off is told on standard error.

    Raises:
        CosemError: It is no recording.
        OSError: It cannot be read.
    """
    from cosem.transport.recording import Recording

    with Path(name).open("rb") as file:
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise CosemError(f"{name}: longer than {_MOST} octets")
    if not content:
        raise CosemError(f"{name}: it is empty")
    try:
        found = Recording.parse(content.decode("utf-8", errors="replace"))
    except ConversionError as error:
        raise CosemError(f"{name}: {error}") from None
    if found.cut:
        with suppress(OSError):
            print(f"{name}: the last line is cut off and left out", file=sys.stderr)
    return found
