"""What ``cosem listen --record`` writes: the messages that were pushed, in their frames where these are HDLC or wrapper."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Final

from cosem.cli.recording import RecordingFile

if TYPE_CHECKING:
    from cosem.push import PushMessage
    from cosem.transport.recording import Recorder

__all__ = ["HeardMessages", "record_heard"]

_MOST_WAITING: Final = 64 * 1024
"""Octets of a source that are kept until its first message says how it frames."""
_TEXT: Final = frozenset({"p1", "iec62056-21"})
_BROADCAST: Final = 1
_OF_CLIENTS: Final = frozenset(
    {0x05, 0x06, 0x16, 0x60, 0x62, 0xC0, 0xC1, 0xC3, 0xD9}
    | {0x21, 0x25, 0x26, 0x36, 0x41, 0x45, 0x46, 0x56, 0xC8, 0xC9, 0xCB, 0xD0, 0xD1, 0xD3}
)
"""First octets of what only clients send: a line may carry both directions."""


class HeardMessages:
    """The recording of what sources push; each source is a connection of its own.

    Args:
        name: The file.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, name: str) -> None:
        self._file = RecordingFile(name)
        self._recorders: dict[str, Recorder] = {}
        self._framings: dict[str, str] = {}
        self._waiting: dict[str, bytearray] = {}

    def octets(self, source: str, octets: bytes) -> None:
        """Take octets of a source, before what was found in them."""
        recorder = self._recorders.get(source)
        if recorder is None:
            waiting = self._waiting.setdefault(source, bytearray())
            waiting += octets
            del waiting[:-_MOST_WAITING]
        elif self._framings[source] in ("hdlc", "wrapper"):
            recorder.octets_received(octets)

    def message(self, source: str, message: PushMessage) -> None:
        """Take a message that was found in the octets."""
        recorder = self._recorders.get(source)
        if recorder is None:
            recorder = self._begin(source, message)
        if message.octets[:1] == b"/" or not _TEXT.isdisjoint(message.framing):
            recorder.octets_received(message.octets)
        elif message.octets[:1] and message.octets[0] in _OF_CLIENTS:
            recorder.apdu_sent(message.octets)
        else:
            recorder.apdu_received(message.octets)

    def ended(self, source: str) -> None:
        """Take note that a source is gone, or silent."""
        self._waiting.pop(source, None)

    def closed(self, source: str) -> None:
        """Take note that a connection is closed: what comes next under its name is another one."""
        self._waiting.pop(source, None)
        self._framings.pop(source, None)
        recorder = self._recorders.pop(source, None)
        if recorder is not None:
            self._file.end(recorder)

    def close(self) -> None:
        """Write what still waits, and close the file."""
        self._file.close()

    def _begin(self, source: str, message: PushMessage) -> Recorder:
        from cosem.translate.secrets import SecretFinder
        from cosem.transport.recording import RecordingHeader

        framing = message.framing[0] if message.framing else ""
        client, server = message.destination, message.source
        header = RecordingHeader(
            # Telegrams are text, as a sign-on is.
            profile="hdlc" if framing in {"hdlc", *_TEXT} else "wrapper",
            url=source.removeprefix("connect+") if "://" in source else "",
            client=_BROADCAST if client is None else client,
            server=_BROADCAST if server is None else server,
        )
        recorder = self._recorders[source] = self._file.connection(header, SecretFinder())
        self._framings[source] = framing
        waiting = self._waiting.pop(source, None)
        if waiting and framing in ("hdlc", "wrapper"):
            recorder.octets_received(bytes(waiting))
        return recorder


def record_heard(name: str, streams: Iterable[bytes]) -> None:
    """Write the messages that are found in octets that were heard.

    Args:
        name: The file.
        streams: What was heard, in order; each stream by itself.

    Raises:
        OSError: The file cannot be written.
    """
    from cosem.push import Parser

    with closing(HeardMessages(name)) as heard:
        for number, octets in enumerate(streams):
            parser = Parser(decrypt_unverified=False)
            heard.octets(str(number), octets)
            for message in (*parser.feed(octets), *parser.finish()):
                heard.message(str(number), message)
