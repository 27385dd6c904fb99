"""Recordings on the command line: made by every verb that connects, explained by ``cosem decode --file``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.errors import ConfigurationError, ConversionError, CosemError
from cosem.transport.observing import Observer

if TYPE_CHECKING:
    from cosem.translate.explain import Explanation
    from cosem.translate.item import Item
    from cosem.transport.recording import Entry, Recording

__all__ = [
    "Observers",
    "add_record_option",
    "message_in_words",
    "read_recording",
    "recorded",
    "show_recording",
]

_MOST: Final = 1024 * 1024 * 1024
"""Octets that are read of a recording."""
_HDLC_SCHEMES: Final = frozenset({"hdlc+tcp", "serial", "rfc2217"})
_RESULTS: Final = frozenset({"data-access-result", "single-response", "result", "association-result"})
_ARROWS: Final = {True: ">", False: "<"}


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
def recorded(options: argparse.Namespace, secrets: Iterable[bytes | None]) -> Iterator[Observer | None]:
    """Give what writes the recording that the options ask for; ``None`` if they ask for none.

    Args:
        options: Those of a verb that connects.
        secrets: Octets that are masked wherever they stand.

    Raises:
        OSError: The file cannot be written.
        ConfigurationError: It was begun with another communication profile.
    """
    if options.record is None:
        yield None
        return
    import time
    from datetime import UTC, datetime

    from cosem.translate.secrets import SecretFinder
    from cosem.transport.recording import Recorder, RecordingHeader
    from cosem.transport.url import parse_url

    address = parse_url(options.url)
    hdlc = address.scheme in _HDLC_SCHEMES and address.options.get("framing") != "wrapper"
    header = RecordingHeader(
        profile="hdlc" if hdlc else "wrapper",
        url=str(address),
        client=address.number("client", 16) if options.client is None else options.client,
        server=address.number("server", 1) if options.server is None else options.server,
    )
    # A verb that connects again, after a break or to another meter, goes on with its recording.
    begun, profile = getattr(options, "recording", (None, header.profile))
    if profile != header.profile:
        raise ConfigurationError(
            "--record: the meters are reached by different profiles; record one at a time"
        )
    # What a conversation says concerns its owner only.
    mode = os.O_TRUNC if begun is None else os.O_APPEND
    descriptor = os.open(options.record, os.O_WRONLY | os.O_CREAT | mode, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii", buffering=1) as file:
        recorder = Recorder(
            file.write,
            header,
            now=lambda: datetime.now(UTC),
            seconds=time.monotonic,
            mask=SecretFinder([each for each in secrets if each is not None]),
            begun=begun,
        )
        options.recording = recorder.begun, header.profile
        try:
            yield recorder
        finally:
            recorder.close()


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


# Explained --------------------------------------------------------------------------------------------------------


def show_recording(recording: Recording, *, verbose: int, as_json: bool) -> int:
    """Write what every message of a recording says.

    Args:
        recording: The recording.
        verbose: 0 for a table of APDUs, 1 for the meaning of each octet, 2 for the frames, too.
        as_json: As JSON.

    Returns:
        The exit status.
    """
    entries = recording.entries if verbose > 1 else recording.apdus
    if as_json:
        from cosem.cli.output import print_json

        print_json({**_header_facts(recording), "messages": [_entry_facts(entry) for entry in entries]})
        return 0
    _print_header(recording)
    if verbose:
        _print_trees(entries)
    else:
        _print_table(entries)
    return 0


def _print_header(recording: Recording) -> None:
    header = recording.header
    place = header.url or ("redacted" if header.redacted else "a meter")
    frames = len(recording.entries) - len(recording.apdus)
    print(
        f"{place}, {header.profile}, client {header.client}, server {header.server}, {header.started or 'no date'}: "
        f"{len(recording.apdus)} APDUs, {frames} frames{', redacted' if header.redacted else ''}\n"
    )


def _print_table(entries: Iterable[Entry]) -> None:
    from cosem.cli.output import Column, print_table

    rows = []
    for entry in entries:
        name, says = _told(entry)
        masked = "masked" if entry.masked else ""
        rows.append((f"{entry.at:.3f}", _ARROWS[entry.sent], name, str(len(entry.octets)), says, masked))
    if not any(row[5] for row in rows):
        rows = [row[:5] for row in rows]  # type: ignore[misc] # rows of a table have any width
    columns = (
        Column("time", "s", right=True),
        Column(""),
        Column("message", style="bold"),
        Column("octets", right=True),
        Column("about", wrap=True),
        Column("secrets"),
    )
    print_table(columns[: len(rows[0]) if rows else 5], rows)


def _print_trees(entries: Iterable[Entry]) -> None:
    from cosem.cli.output import print_explanation

    for index, entry in enumerate(entries):
        if index:
            print()
        name, says = _told(entry)
        masked = ", secrets masked" if entry.masked else ""
        about = f": {says}" if says else ""
        print(f"{entry.at:.6f} {_ARROWS[entry.sent]} {name}, {len(entry.octets)} octets{about}{masked}")
        explanation = _explained(entry)
        if explanation is not None:
            print_explanation(explanation)
        else:
            print(f"    {entry.octets.hex(' ').upper()}")


def message_in_words(octets: bytes) -> str:
    """Return what an APDU is and what it is about, in one line."""
    from cosem.transport.recording import Entry

    name, says = _told(Entry(0, True, "apdu", octets))
    return f"{name}: {says}" if says else name


def _explained(entry: Entry) -> Explanation | None:
    """Return an APDU, taken apart; ``None`` for what is none."""
    from cosem.translate.explain import explain

    if entry.kind != "apdu":
        return None
    try:
        return explain(entry.octets)
    except CosemError:
        return None


def _told(entry: Entry) -> tuple[str, str]:
    """Return the name of a message and what it is about, for a line."""
    if entry.kind != "apdu":
        return _frame_told(entry)
    from cosem.translate.explain import explain

    try:
        explanation = explain(entry.octets)
    except CosemError as error:
        return "not understood", str(error)
    root = explanation.root
    inner = next((item.name for _, item in root.walk() if item.name.startswith("initiate")), "")
    named = [*_named(explanation)]
    results = [item.text for _, item in root.walk() if item.name in _RESULTS and item.text]
    values = [_value(item) for item in _data(root)]
    blocks = [f"block {item.text}" for _, item in root.walk() if item.name == "block-number"]
    # That all went well is told by the values that came.
    failures = [text for text in results if not text.endswith("(0)")]
    says = [*named, *blocks, *(failures or ([] if values else results[:1])), *values] or [inner] * bool(inner)
    text = ", ".join(says[:3]) + (f" and {len(says) - 3} more" if len(says) > 3 else "")
    return root.name, text if len(text) <= 100 else f"{text[:99]}…"


def _data(root: Item) -> Iterator[Item]:
    """Return the values in an APDU, without what only selects."""
    for item in root.children:
        if item.kind and not item.kind.startswith("list of"):
            yield item
        elif item.name not in ("access-selection", "user-information"):
            yield from _data(item)


def _value(item: Item) -> str:
    """Return a value for a line: its meaning or itself, and of a long one its type."""
    return item.note.strip("'") or item.text or item.kind


def _named(explanation: Explanation) -> Iterator[str]:
    """Return the attributes and methods that an APDU names."""
    for _, item in explanation.root.walk():
        if item.name in ("cosem-attribute-descriptor", "cosem-method-descriptor"):
            _, name, number = item.children
            method = "method " if item.name == "cosem-method-descriptor" else ""
            meaning = name.note.partition(" ")[2]
            yield f"{name.text} {method}{number.text.split()[0]}{f' ({meaning})' if meaning else ''}"
        elif item.name == "variable-name":
            yield f"variable {item.text}"


def _frame_told(entry: Entry) -> tuple[str, str]:
    """Return the name of a frame and whose it is."""
    from cosem.link.hdlc.frame import decode_frame

    octets = entry.octets
    if entry.kind == "octets":
        text = octets.decode("ascii", errors="replace")
        return "octets", text.strip() if not entry.masked and text.strip().isprintable() else ""
    if octets.startswith(b"\x00\x01") and len(octets) >= 8:
        source, destination = (int.from_bytes(octets[at : at + 2], "big") for at in (2, 4))
        return "wrapper unit", f"from {source} to {destination}"
    try:
        frame = decode_frame(octets)
    except CosemError as error:
        return "frame", str(error)
    control = frame.control
    numbers = {"I": f" N(S)={control.send_number} N(R)={control.receive_number}"}
    numbers |= dict.fromkeys(("RR", "RNR"), f" N(R)={control.receive_number}")
    about = (
        f"from {frame.source.upper} to {frame.destination.upper}{', segmented' if frame.segmented else ''}"
    )
    return f"HDLC {control.kind.name}{numbers.get(control.kind.name, '')}", about


def _header_facts(recording: Recording) -> dict[str, Any]:
    header = recording.header
    return {
        "started": header.started or None,
        "profile": header.profile,
        "url": header.url or None,
        "client": header.client,
        "server": header.server,
        "redacted": header.redacted,
        "cut": recording.cut,
    }


def _entry_facts(entry: Entry) -> dict[str, Any]:
    from cosem.translate.as_json import apdu_to_json

    name, says = _told(entry)
    facts: dict[str, Any] = {
        "at": round(entry.at, 6),
        "direction": "sent" if entry.sent else "received",
        "kind": entry.kind,
        "name": name,
        "about": says or None,
        "octets": entry.octets.hex().upper(),
        "masked": [list(each) for each in entry.masked],
    }
    explanation = _explained(entry)
    if explanation is not None:
        with suppress(CosemError):
            facts["apdu"] = apdu_to_json(explanation.value)
        facts["findings"] = list(explanation.findings)
    return facts
