"""Take in what meters push by themselves, whatever the maker: from a port, from a network, from a file.

Framing, ciphering and maker are found out for each message. Repeated messages are dropped, a port that is gone is
opened again, Ctrl-C and SIGTERM stop it cleanly. A meter that wants its notifications confirmed is answered, in
general-glo-ciphering with --title, as soon as they are kept wherever they go.

With --key alone what is decrypted cannot be checked: such messages say "unverifiable". With --auth-key nothing is
given out whose tag is wrong or cannot be checked.

The exit status is 1 where more messages could not be read than could, where none came before the source ended, or
where a broker or a database did not take all; 0 else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections import OrderedDict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.keys import add_key_options, keys_of
from cosem.cli.recording import add_record_option
from cosem.errors import ConfigurationError, SecurityError
from cosem.types.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from cosem.cli.other_protocols import Strangers
    from cosem.cli.push_database import Database
    from cosem.cli.push_sinks import DeadLetters, Sink
    from cosem.cli.push_sources import Chunk
    from cosem.cli.recording_heard import HeardMessages
    from cosem.push import Parser, PushMessage

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem listen hex:0F00000001000101020309060100010700FF060000011802020F00161B", "octets"),
    ("cosem listen /dev/ttyUSB0 --baud 2400 --format 8E1 --key @key.txt", "a HAN port"),
    ("cosem listen tcp://0.0.0.0:4059 --json --key @key.txt", "meters that connect"),
    ("cosem listen udp://10.0.0.7:4059 --sqlite readings.db", "into a database; files and - are read too"),
    ("cosem listen /dev/ttyUSB0 --mqtt mqtt://10.0.0.7/meters", "Home Assistant"),
)
_MOST_SOURCES: Final = 1024
"""Parsers that are kept; the one whose source was silent longest gives way."""
_LONGEST_SILENCE: Final = 3600
_NOT_KEPT: Final = "what is not given out is kept by --dead-letters only"
_BETWEEN_TRIALS: Final = 0.5
"""Seconds until a database that was locked is tried again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="tcp://HOST:PORT or udp://HOST:PORT to listen at, connect+tcp://HOST:PORT for a bridge, a serial port, "
        "rfc2217://HOST:PORT for that of a server, a file, hex:OCTETS, or - for standard input (octets or hexadecimal text)",
    )
    parser.add_argument("--baud", metavar="N", type=int, help="of a serial port (default 9600)")
    parser.add_argument("--format", metavar="8N1", help="of a serial port (default 8N1)")
    parser.add_argument("--strict", action="store_true", help="give out only what is as the standard has it")
    parser.add_argument("--layouts", metavar="FILE", help="layouts of your own, tried first")
    parser.add_argument(
        "--damaged", action="store_true", help="also read HDLC frames with a wrong check sequence"
    )
    parser.add_argument("--duplicates", action="store_true", help="keep repeated messages")
    parser.add_argument(
        "--silence",
        metavar="SECONDS",
        type=float,
        help="after so long a silence an unfinished message is given up (default 3); a slow network may want more",
    )
    parser.add_argument("--count", metavar="N", type=int, help="stop after so many messages")
    add_key_options(parser)
    parser.add_argument(
        "--title",
        metavar="TITLE",
        help="our system title, such as MMM0000000001: with it, and both keys, ciphered notifications are confirmed",
    )
    group = parser.add_argument_group("where messages go, besides the terminal")
    group.add_argument(
        "--csv", metavar="FILE", help="add a line for each value to a file; - for standard output"
    )
    group.add_argument("--sqlite", metavar="FILE", help="add them to a database")
    group.add_argument("--mqtt", metavar="URL", help="mqtt://[USER:PASSWORD@]HOST[:1883][/PREFIX]")
    group.add_argument("--dead-letters", metavar="FILE", help="what cannot be read, a line of JSON each")
    add_record_option(group)
    group.add_argument("--quiet", action="store_true", help="nothing on the terminal")


def run(options: argparse.Namespace) -> int:
    """Listen until the source ends, or until stopped."""
    from cosem.cli.connection import quiet_logging

    if options.count is not None and options.count < 1:
        raise ConfigurationError("--count must be at least 1")
    if options.silence is not None and not 0 < options.silence <= _LONGEST_SILENCE:
        raise ConfigurationError(f"--silence is more than 0 and at most {_LONGEST_SILENCE} seconds")
    if options.csv == "-" and options.json:
        raise ConfigurationError("--csv - and --json both write to standard output: choose one of them")
    with quiet_logging(), contextlib.ExitStack() as stack:
        listening = _Listening(options, stack)
        asyncio.run(listening.run(_source(options)))
    return listening.status()


def _source(options: argparse.Namespace) -> str:
    """Return the source, with the settings of its line."""
    from cosem.cli.push_sources import is_port, is_standard_input

    source: str = options.source
    if options.baud is None and options.format is None:
        return source
    scheme = "rfc2217" if source.startswith("rfc2217://") else "serial"
    path = source.removeprefix(f"{scheme}://")
    other = "://" in path or "?" in path or path.startswith("hex:") or is_standard_input(path)
    if other or (scheme == "serial" and Path(path).exists() and not is_port(path)):
        raise ConfigurationError("--baud and --format are for a serial port without ?baud= in its URL")
    settings = [
        f"{name}={value}"
        for name, value in (("baud", options.baud), ("format", options.format))
        if value is not None
    ]
    return f"{scheme}://{path}?{'&'.join(settings)}"


class _Listening:
    """One run: parsers of the sources, and where their messages go."""

    def __init__(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        from cosem.cli.push_confirming import Confirmer
        from cosem.cli.push_keeping import Confirmations
        from cosem.cli.push_records import Duplicates
        from cosem.push import load_layouts

        self._options = options
        self._keys = keys_of(options)
        self._confirmer = Confirmer(self._keys, options.title)
        self._confirmations = Confirmations(self._wake)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._layouts = load_layouts(options.layouts) if options.layouts else None
        self._parsers: OrderedDict[str, tuple[Parser, Strangers]] = OrderedDict()
        self._is_duplicate = Duplicates()
        self._stopped = asyncio.Event()
        self.taken = 0
        """Messages that were given out, whether they could be read or not."""
        self.read = 0
        self.lost = 0
        """Messages that could not be read, or were not given out."""
        self._damaged = False
        self._unconfirmed = False
        self._dead_letters: DeadLetters | None = None
        self._database: Database | None = None
        self._sinks = self._open_sinks(stack)
        self._recording: HeardMessages | None = None
        if options.record is not None:
            from cosem.cli.recording_heard import HeardMessages

            self._recording = HeardMessages(options.record)
            stack.callback(self._recording.close)

    def _open_sinks(self, stack: contextlib.ExitStack) -> list[Sink]:
        from cosem.cli.push_sinks import CsvFile, DeadLetters, JsonLines, Terminal

        options = self._options
        sinks: list[Sink] = []
        if not options.quiet and options.csv != "-":
            sinks.append(JsonLines() if options.json else Terminal())
        if options.csv:
            sinks.append(CsvFile(options.csv))
        if options.sqlite:
            from cosem.cli.push_database import Database

            self._database = Database(options.sqlite, _say, repetitions=options.duplicates)
            sinks.append(self._database)
        if options.mqtt:
            from cosem.cli.home_assistant import MqttBroker

            sinks.append(MqttBroker(options.mqtt, _say))
        if options.dead_letters:
            self._dead_letters = DeadLetters(options.dead_letters)
            stack.callback(self._dead_letters.close)
        for sink in sinks:
            stack.callback(sink.close)
        return sinks

    async def run(self, source: str) -> None:
        """Take what comes until there is no more, or until stopped."""
        from cosem.cli.push_sources import Chunk, open_source
        from cosem.cli.push_stopping import stopping

        self._loop = asyncio.get_running_loop()
        with stopping(self._stopped, lambda: self.taken + self.lost):
            chunks = open_source(source, self._stopped, _say, self._options.silence)
            retrying = asyncio.ensure_future(self._retry())
            try:
                async for chunk in chunks:
                    self._take(chunk)
                    if self._enough():
                        await self._confirmations.last()
                        break
            finally:
                retrying.cancel()
                await chunks.aclose()
                for name, (parser, _) in self._parsers.items():
                    self._hand_on(parser, parser.idle, Chunk(name, b""))

    async def _retry(self) -> None:
        """Write what waits for a database that was locked, also while nothing comes."""
        while self._database is not None:
            await asyncio.sleep(_BETWEEN_TRIALS)
            try:
                self._database.retry()
            except OSError:
                return  # said with the next message, or at the end
            self._confirmations.settle()

    def _wake(self) -> None:
        """Let confirmations go out that were waited for; called in any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._confirmations.settle)

    def _take(self, chunk: Chunk) -> None:
        parser, strangers = self._parser(chunk)
        if self._recording is not None:
            self._recording.octets(chunk.source, chunk.octets)
        self._hand_on(parser, lambda: parser.feed(chunk.octets), chunk)
        if chunk.ended:
            self._hand_on(parser, parser.idle if chunk.live else parser.finish, chunk)
            if self._recording is not None:
                self._recording.ended(chunk.source)
        if parser.frames:
            strangers.stop()
        for text in strangers.take(chunk.octets, ended=chunk.ended):
            _say(f"{chunk.source} is {text}")
        if chunk.closed:
            del self._parsers[chunk.source]
            self._forget(chunk.source, parser)

    def _forget(self, source: str, parser: Parser) -> None:
        """Let go of a source that is closed, or that was silent longest of too many."""
        self._damaged = self._damaged or parser.damaged
        if self._recording is not None:
            self._recording.closed(source)

    def _parser(self, chunk: Chunk) -> tuple[Parser, Strangers]:
        from cosem.cli.other_protocols import Strangers
        from cosem.cli.push_sources import Chunk
        from cosem.push import Parser

        source = chunk.source
        known = self._parsers.get(source)
        if known is None:
            options = self._options
            parser = Parser(
                self._keys,
                layouts=self._layouts,
                decrypt_unverified=options.auth_key is None,
                check=not options.damaged,
                joined=chunk.live and not chunk.ended,
            )
            known = parser, Strangers()
            if self._dead_letters is not None:
                parser.detector.rubbish = bytearray()
            self._parsers[source] = known
            if len(self._parsers) > _MOST_SOURCES:
                oldest, (former, _) = self._parsers.popitem(last=False)
                self._hand_on(former, former.idle, Chunk(oldest, b""))  # what had begun is given up, not lost
                self._forget(oldest, former)
        else:
            self._parsers.move_to_end(source)
        return known

    def _hand_on(self, parser: Parser, messages: Any, chunk: Chunk) -> None:
        source = chunk.source
        received = datetime.now(UTC).isoformat(timespec="milliseconds") if chunk.live else None
        for message in messages():
            if self._enough():
                return
            self._message(message, chunk, received)
        rubbish = parser.detector.rubbish
        if rubbish and self._dead_letters is not None:
            self._dead_letters.take(bytes(rubbish), source, received, "no frame, no telegram, no APDU")
            rubbish.clear()

    def _confirm(self, message: PushMessage, answer: Callable[[bytes], None], source: str) -> None:
        """Answer a notification that wants to be confirmed and is kept."""
        try:
            octets = self._confirmer.confirmation(message)
        except SecurityError as error:
            octets, why = None, str(error)
        else:
            why = "only what comes in the wrapper is, in clear or in general-glo-ciphering that was verified"
            if self._options.title is None:
                why += "; a protected answer needs our system title: --title"
        if octets is not None:
            answer(octets)
        else:
            self._leave_unconfirmed(source, why)

    def _leave_unconfirmed(self, source: str, why: str) -> None:
        if not self._unconfirmed:
            self._unconfirmed = True
            _say(f"{source} wants its notifications confirmed, which is not done: {why}")

    def _message(self, message: PushMessage, chunk: Chunk, received: str | None) -> None:
        from cosem.cli.push_confirming import wants_confirmation
        from cosem.cli.push_records import identity, is_unread

        source = chunk.source
        if self._recording is not None:
            self._recording.message(source, message)
        strict = self._options.strict and message.findings
        unread = is_unread(message)
        confirm: Callable[[], None] | None = None
        if chunk.answer is not None and wants_confirmation(message):
            if not (strict or unread) or self._dead_letters is not None:
                confirm = partial(self._confirm, message, chunk.answer, source)
            else:  # the meter may send it again to somebody who can read it
                confirm = partial(self._leave_unconfirmed, source, _NOT_KEPT)
        own = None if self._options.duplicates else identity(message, source)
        if not self._options.duplicates and self._is_duplicate(message, source):
            self._confirmations.repeated(own, confirm)
            return
        if strict or unread:
            self.lost += 1
            reason = (
                f"not as the standard has it: {', '.join(message.findings)}" if strict else message.reason
            )
            if self._dead_letters is not None:
                self._dead_letters.take(message.octets, source, received, reason)
            if self.lost == 1 or strict:
                _say(f"a message of {source} is not given out: {reason}")
        else:
            self.read += 1
        waits = []
        if not strict:
            self.taken += 1
            waits = [
                wait for sink in self._sinks if (wait := sink.take(message, source, received)) is not None
            ]
        self._confirmations.taken(own, waits, confirm, partial(self._is_duplicate.forget, message, source))
        self._confirmations.settle()

    def _enough(self) -> bool:
        """Whether as many messages as were asked for have come."""
        return self._options.count is not None and self.taken >= self._options.count

    def status(self) -> int:
        """Return the exit status: failure where nothing came, or nothing that could be read."""
        if self._is_duplicate.dropped:
            _say(f"{self._is_duplicate.dropped} repeated messages dropped")
        if not self.taken and not self._stopped.is_set():
            damaged = self._damaged or any(parser.damaged for parser, _ in self._parsers.values())
            _say("no message was found" + ("; frames are damaged, --damaged reads them" if damaged else ""))
            return 1
        return 1 if self.lost > self.read else 0


def _say(text: str) -> None:
    print(f"cosem listen: {printable(text)}", file=sys.stderr, flush=True)
