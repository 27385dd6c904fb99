"""Recordings in words: a table of messages, a tree of each, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.errors import CosemError

if TYPE_CHECKING:
    from cosem.cli.deciphering import Deciphering, Opened
    from cosem.translate.explain import Explanation
    from cosem.translate.item import Item
    from cosem.transport.recording import Entry, Recording

__all__ = ["message_in_words", "show_recording"]

_RESULTS: Final = frozenset({"data-access-result", "single-response", "result", "association-result"})
_OF_ASSOCIATIONS: Final = frozenset({"AARQ", "AARE", "RLRQ", "RLRE"})
_ARROWS: Final = {True: ">", False: "<"}


Shown: TypeAlias = "tuple[Entry, Opened | None]"
"""A message, and what is in it where it is ciphered and keys are given."""


def show_recording(
    recording: Recording, *, verbose: int, as_json: bool, deciphering: Deciphering | None = None
) -> int:
    """Write what every message of a recording says.

    Args:
        recording: The recording.
        verbose: 0 for a table of APDUs, 1 for the meaning of each octet, 2 for the frames, too.
        as_json: As JSON.
        deciphering: Opens what is ciphered.

    Returns:
        The exit status: 1 if a message is not what somebody with the keys sent.
    """
    opened: dict[int, Opened] = {}
    if deciphering is not None:
        from cosem.cli.recording_opened import open_recording

        opened = open_recording(recording, deciphering)
    shown = [
        (entry, opened.get(place))
        for place, entry in enumerate(recording.entries)
        if verbose > 1 or entry.kind == "apdu"
    ]
    if as_json:
        from cosem.cli.output import print_json

        print_json({**_header_facts(recording), "messages": [_entry_facts(*each) for each in shown]})
    else:
        _print_header(recording)
        if verbose:
            _print_trees(shown)
        else:
            _print_table(shown)
    return int(any(each.failed for each in opened.values()))


def _print_header(recording: Recording) -> None:
    for number, header in enumerate(recording.headers):
        entries = [entry for entry in recording.entries if entry.connection == number]
        apdus = sum(entry.kind == "apdu" for entry in entries)
        place = header.url or ("redacted" if header.redacted else "a meter")
        print(
            f"{f'{number}: ' if recording.connections else ''}{place}, {header.profile}, client {header.client}, "
            f"server {header.server}, {header.started or 'no date'}: {apdus} APDUs, {len(entries) - apdus} frames"
            f"{', redacted' if header.redacted else ''}"
        )
    print()


def _print_table(shown: Iterable[Shown]) -> None:
    from cosem.cli.output import Column, print_table

    rows = []
    for entry, opened in shown:
        name, says = _told(entry, opened)
        masked = "masked" if entry.masked else ""
        verdict = "" if opened is None else opened.inspection.verdict.value
        row = (str(entry.connection), f"{entry.at:.3f}", _ARROWS[entry.sent], name, str(len(entry.octets)))
        rows.append((*row, says, verdict, masked))
    columns = (
        Column("connection", right=True),
        Column("time", "s", right=True),
        Column(""),
        Column("message", style="bold"),
        Column("octets", right=True),
        Column("about", wrap=True),
        Column("checked"),
        Column("secrets"),
    )
    told = [any(row[place] not in ("", "0") for row in rows) for place in range(len(columns))]
    kept = [place for place in range(len(columns)) if told[place] or 0 < place < 6]
    print_table([columns[place] for place in kept], [[row[place] for place in kept] for row in rows])


def _print_trees(shown: Iterable[Shown]) -> None:
    from cosem.cli.output import print_explanation

    for index, (entry, opened) in enumerate(shown):
        if index:
            print()
        name, says = _told(entry, opened)
        masked = ", secrets masked" if entry.masked else ""
        about = f": {says}" if says else ""
        print(f"{entry.at:.6f} {_ARROWS[entry.sent]} {name}, {len(entry.octets)} octets{about}{masked}")
        explanation = _explained(entry)
        if explanation is not None:
            print_explanation(explanation)
        else:
            print(f"    {entry.octets.hex(' ').upper()}")
        if opened is not None:
            print(f"    {opened.words}")
            for finding in opened.inspection.findings:
                print(f"    finding: {finding}")
            if opened.explanation is not None:
                print_explanation(opened.explanation)


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


def _told(entry: Entry, opened: Opened | None = None) -> tuple[str, str]:
    """Return the name of a message and what it is about, for a line; inside of what is ciphered, if it was opened."""
    if entry.kind != "apdu":
        return _frame_told(entry)
    from cosem.translate.explain import explain

    try:
        explanation = explain(entry.octets)
    except CosemError as error:
        return "not understood", str(error)
    name, says = _about(explanation)
    if opened is None or explanation.root.name in _OF_ASSOCIATIONS:
        return name, says
    if opened.explanation is None:
        return name, opened.inspection.reason
    inner, says = _about(opened.explanation)
    return f"{name}: {inner}", says


def _about(explanation: Explanation) -> tuple[str, str]:
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
        "connections": [
            {"started": each.started or None, "profile": each.profile, "url": each.url or None}
            | {"client": each.client, "server": each.server}
            for each in recording.headers
        ],
    }


def _entry_facts(entry: Entry, opened: Opened | None) -> dict[str, Any]:
    from cosem.cli.deciphering import facts_of
    from cosem.translate.as_json import apdu_to_json

    name, says = _told(entry, opened)
    facts: dict[str, Any] = {
        "at": round(entry.at, 6),
        "direction": "sent" if entry.sent else "received",
        "connection": entry.connection,
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
    if opened is not None:
        facts |= facts_of(opened)
    return facts
