"""Say what a port or a dump is: framing, ciphering, maker, the keys that are missing; or another protocol.

A dump may be anything: hexadecimal text with any separators, addresses, times or words of a log, decimal numbers,
base64, the octets themselves, or a capture of a network (pcap and pcapng, with the package dpkt).

A serial port is listened to with the usual settings, one after the other, until something is understood; tcp:// is
connected to. Nothing is ever sent.

The exit status is 0 where it was found out what the octets are, 1 where it was not or there were none.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import converter
from cosem.cli.keys import add_key_options, keys_of
from cosem.cli.recording import add_record_option
from cosem.errors import ConfigurationError, CosemError, TransportClosed, TransportTimeout
from cosem.transport.url import parse_url, shown_url
from cosem.types.text import printable

if TYPE_CHECKING:
    from cosem.cli.sniffing import Finding, Sniffed

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem sniff 0F00000001000101020309060100010700FF060000011802020F00161B", "octets"),
    ("cosem sniff @dump.txt", "a dump or a capture; - is standard input"),
    (
        "cosem sniff --json tcp://10.0.0.7:2001",
        "a bridge to a serial port; /dev/ttyUSB0 is a port of this machine",
    ),
)
_MOST: Final = 64 * 1024 * 1024
_LINES: Final = ((2400, "8E1"), (2400, "8N1"), (9600, "8N1"), (115200, "8N1"), (9600, "7E1"), (300, "7E1"))
"""How the ports of customers are set: M-Bus electrical, optical, P1, and before sign-on."""
_NAME: Final = re.compile(r"(?:~|\.{1,2})?[/\\].*|[^\s()]+\.[A-Za-z][A-Za-z0-9]{1,7}")
"""What is the name of a file rather than octets: a path, or a word with a suffix."""
_NO_NAME: Final = re.compile(
    r"[0-9A-Fa-f]{2}(?:\.[0-9A-Fa-f]{2}){2,}|/[A-Za-z]{3}[0-9].*|/\?.*!.*|(?:\\x[0-9A-Fa-f]{2})+.*", re.DOTALL
)
"""What looks like one: octets with full stops, a telegram or sign-on of text, a literal."""
_CHUNK: Final = 65536


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no number of seconds") from None
    if not 0 < seconds <= 86400:
        raise ConfigurationError(f"{text} is outside 0..86400 seconds")
    return seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+",
        help="a file, a serial port, rfc2217://HOST:PORT, tcp://HOST:PORT, - for standard input, or octets in any form",
    )
    parser.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=converter(_seconds),
        default=12.0,
        help="how long to listen to a port with each setting (default 12)",
    )
    add_record_option(parser)
    add_key_options(parser)


def run(options: argparse.Namespace) -> int:
    """Say what the octets are."""
    from cosem.cli.sniffing import sniff

    keys = keys_of(options)
    sniffed: Sniffed | None = None
    line = ""
    found: list[bytes] = []
    for setting, form, streams in _heard(" ".join(options.source), options.seconds):
        latest = sniff(streams, form, keys)
        if sniffed is None or latest.known or latest.octets > sniffed.octets:
            sniffed, line, found = latest, setting, streams
        if latest.known:
            break
    if sniffed is None or not sniffed.octets:
        raise CosemError("nothing was heard: there are no octets")
    if options.record is not None:
        from cosem.cli.recording_heard import record_heard

        record_heard(options.record, found)
    if options.json:
        from cosem.cli.output import print_json

        print_json(_facts(sniffed, line))
    else:
        _print(sniffed, line)
    return 0 if sniffed.known else 1


def _heard(source: str, seconds: float) -> Iterator[tuple[str, str, list[bytes]]]:
    """Return setting, form and octets: once of a dump, for each setting of a port."""
    from cosem.cli.push_sources import is_port

    if source.startswith(("serial://", "rfc2217://")) or is_port(source):
        from cosem.transport.channel import peer_name
        from cosem.transport.serial import SerialChannel, parse_format

        path = source.removeprefix("serial://").partition("?")[0] if "://" in source else source
        if source.startswith("rfc2217://"):
            address = parse_url(source)
            path = f"rfc2217://{peer_name(address.host, address.port)}"
        for baud, shape in _LINES:
            channel = SerialChannel(path, parse_format(shape, baud))
            yield f"{baud} {shape}", "octets", [_until(channel, seconds)]
        return
    if source.startswith("tcp://"):
        from cosem.transport.channel import TcpChannel

        address = parse_url(source)
        yield source, "octets", [_until(TcpChannel(address.host, address.port, seconds), seconds)]
        return
    from cosem.cli.dumps import read_dump

    dump = read_dump(_content(source))
    for note in dump.notes:
        print(f"cosem sniff: {printable(note)}", file=sys.stderr, flush=True)
    yield "", dump.form, [octets for _, octets in dump.streams]


def _until(channel: Any, seconds: float) -> bytes:
    """Return what comes within some seconds, or until a message is whole."""
    from cosem.push import Parser

    heard = bytearray()
    parser = Parser()
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0 and len(heard) < _CHUNK:
            try:
                octets = channel.receive(left)
            except (TransportTimeout, TransportClosed):
                break
            heard += octets
            if parser.feed(octets):
                break
    finally:
        channel.close()
    return bytes(heard)


def _content(source: str) -> bytes:
    from cosem.cli.push_sources import is_standard_input

    if is_standard_input(source.removeprefix("@")):
        source = "-"
        if sys.stdin is None:
            raise ConfigurationError("standard input is closed")
        content = sys.stdin.buffer.read(_MOST + 1)
    else:
        path = Path(source.removeprefix("@"))
        try:
            there = path.is_file() or path.is_fifo() or path.is_char_device()
        except (OSError, ValueError):
            there = False
        if there:
            with path.open("rb") as file:
                content = file.read(_MOST + 1)
        elif source.startswith("@") or not any(sign.isdigit() for sign in source):
            raise ConfigurationError(f"{source!r}: there is no such file, and these are no octets")
        elif "://" in source:
            raise ConfigurationError(
                f"{shown_url(source)}: tcp://HOST:PORT and serial ports can be sniffed; cosem listen takes more"
            )
        elif _is_name(source):
            raise ConfigurationError(f"{source!r}: there is no such file")
        else:
            content = source.encode("utf-8", "surrogateescape")
    if len(content) > _MOST:
        raise ConfigurationError(f"{source} holds more than {_MOST} octets")
    if not content.strip():
        raise CosemError(f"{'standard input' if source == '-' else source} is empty")
    return content


def _is_name(source: str) -> bool:
    """Return whether what is no file can only have been meant for one."""
    if len(source.split()) != 1 or _NO_NAME.fullmatch(source):
        return False
    separated = "/" in source and len(source) % 4 != 0  # else it may be base64
    return _NAME.fullmatch(source) is not None or separated


def _facts(sniffed: Sniffed, setting: str) -> dict[str, Any]:
    return {
        "octets": sniffed.octets,
        "form": sniffed.form,
        "line": setting or None,
        "messages": [
            {
                "framing": list(each.framing),
                "apdu": each.apdu,
                "count": each.count,
                "ciphering": each.ciphering or None,
                "system_title": each.system_title or None,
                "maker": each.maker or None,
                "layout": each.layout or None,
                "verification": each.verification,
                "missing": list(each.missing),
                "findings": list(each.findings),
            }
            for each in sniffed.found
        ],
        "frames": sniffed.frames,
        "damaged": sniffed.damaged,
        "unfinished": sniffed.unfinished,
        "other_protocols": sniffed.other_protocols,
        "suspicions": sniffed.suspicions,
        "hints": sniffed.hints,
    }


def _print(sniffed: Sniffed, setting: str) -> None:
    print(f"{sniffed.octets:,} octets, written as {sniffed.form}{f', {setting}' if setting else ''}")
    for each in sniffed.found:
        _print_finding(each)
    for kind, count in sorted(sniffed.damaged.items()):
        print(f"besides:     {count} x {kind}")
    for texts, label in (
        (sniffed.unfinished, "framing"),
        (sniffed.other_protocols, "protocol"),
        (sniffed.suspicions, "suspicion"),
        (sniffed.hints, "hint"),
    ):
        for text in texts:
            print(f"{label + ':':<13}{printable(text)}")
    if not sniffed.known:
        print("protocol:    not known")


def _print_finding(each: Finding) -> None:
    inside = "" if each.apdu in each.framing else f" > {each.apdu}"
    print(f"{'message:':<13}{' > '.join(each.framing)}{inside}, {each.count} of them")
    title = each.system_title and f"system title {each.system_title}"
    rows = (
        ("  maker:", ", ".join(filter(None, (each.maker, title)))),
        ("  ciphering:", each.ciphering),
        ("  checked:", each.verification or ""),
        ("  missing:", "; ".join(each.missing)),
        ("  layout:", each.layout),
        ("  findings:", ", ".join(each.findings)),
    )
    for label, text in rows:
        if text:
            print(f"{label:<13}{printable(text)}")
