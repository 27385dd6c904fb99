"""Take a message apart: what each octet of an APDU means, as a tree with offsets.

Any APDU of IEC 62056-5-3, with or without the header of the TCP-UDP wrapper; several units of the wrapper
one after the other; with --data one value of Data. What is encrypted is shown as the envelope that it is; with
--keys it is opened, and said to be verified, unverifiable (a key is missing) or failed. Of what failed nothing is
shown, and the exit status is 1.

With --file a recording (made by --record) is explained message by message: a table; -v gives the tree of each
message, -vv the frames, too. With --keys the ciphered messages in it are opened, each with the titles and the
dedicated key that its association has told.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.deciphering import Deciphering, Opened, add_deciphering_options, deciphering_of, facts_of
from cosem.cli.octets import octets_of_words
from cosem.errors import ConfigurationError, CosemError, DecodeError

if TYPE_CHECKING:
    from cosem.translate.explain import Explanation

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem decode C001C100080000010000FF0200", "a request"),
    ("cosem decode --json C4 01 C1 00 06 00 23 2C 83", "an answer, for machines"),
    ("cosem decode --data 02 02 0F FF 16 1E", "one value of Data"),
    ("cosem decode --xml @message.hex", "a file, as XML"),
    (
        "cosem decode --keys demo C8183000000006B94FF9E1826D0F3AD4F34D0A8EB73A5DABD354",
        "a ciphered message, opened",
    ),
    ("cosem decode --file meter.jsonl", "a recording, message by message"),
    ("cosem decode --file meter.jsonl --keys keys.toml", "the same, and what is ciphered in it"),
)
_WRAPPER: Final = b"\x00\x01"
_WRAPPER_HEADER: Final = 8
_CIPHERED: Final = frozenset(
    {"CipheredApdu", "GeneralGloCiphering", "GeneralDedCiphering", "GeneralCiphering", "GeneralSigning"}
)
_OTHERS: Final = {
    0x7E: "it begins like an HDLC frame (7E): decode what is inside it",
    0x68: "it begins like an M-Bus frame (68): decode what is inside it",
    0x2F: "it begins like a P1 telegram or an identification of IEC 62056-21 (/)",
    0x1B: "it begins like SML (1B), which is another protocol",
}
"""First octets that people meet, and what they are a sign of."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "octets",
        metavar="HEX",
        nargs="*",
        help="hexadecimal text with any separators, @FILE (text or octets), or - for standard input",
    )
    parser.add_argument("--file", metavar="FILE", help="a recording that --record made, instead of octets")
    parser.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help="with --file: the tree of each message; -vv: frames, too",
    )
    parser.add_argument("--data", action="store_true", help="the octets are one value of Data, not an APDU")
    parser.add_argument("--xml", action="store_true", help="as XML of the published schema")
    parser.add_argument("--strict", action="store_true", help="refuse what deviates from the standard")
    add_deciphering_options(parser)


def run(options: argparse.Namespace) -> int:
    """Explain the octets."""
    if options.xml and options.json:
        raise ConfigurationError("--xml and --json exclude each other")
    if options.file is not None:
        return _show_file(options)
    deciphering = deciphering_of(options)
    if deciphering is not None and (options.xml or options.data):
        raise ConfigurationError("--keys opens messages: not with --xml or --data")
    octets = octets_of_words(options.octets)
    if options.data:
        from cosem.translate.explain import explain_data

        return _show([(explain_data(octets, strict=options.strict), None)], options)
    try:
        return _show(_messages(octets, options.strict, deciphering), options)
    except DecodeError as error:
        hint = _OTHERS.get(octets[0])
        if hint is None or error.offset:
            raise
        raise CosemError(f"{error}; {hint}") from None


def _show_file(options: argparse.Namespace) -> int:
    """Explain a recording."""
    given = {
        "octets": options.octets,
        "--data": options.data,
        "--xml": options.xml,
        "--strict": options.strict,
    }
    if unfit := [name for name, value in given.items() if value]:
        raise ConfigurationError(f"--file explains a recording: not with {', '.join(unfit)}")
    from cosem.cli.recording import read_recording
    from cosem.cli.recording_shown import show_recording

    deciphering = deciphering_of(options)
    recording = read_recording(options.file)
    return show_recording(recording, verbose=options.verbose, as_json=options.json, deciphering=deciphering)


def _messages(
    octets: bytes, strict: bool, deciphering: Deciphering | None
) -> list[tuple[Explanation, Opened | None]]:
    """Return what each message says: one, or as many as there are units of the wrapper; opened, if there are keys."""
    from cosem.translate.explain import explain

    messages = []
    start = 0
    while octets[start : start + 2] == _WRAPPER and len(octets) - start >= _WRAPPER_HEADER:
        stop = start + _WRAPPER_HEADER + int.from_bytes(octets[start + 6 : start + 8], "big")
        if stop >= len(octets):
            break
        messages.append(octets[start:stop])
        start = stop
    messages.append(octets[start:])
    explained = [explain(message, strict=strict) for message in messages]
    if deciphering is None:
        return [(each, None) for each in explained]
    heads = [_WRAPPER_HEADER if message.startswith(_WRAPPER) else 0 for message in messages]
    return [
        (each, deciphering.open(message[head:], strict=strict))
        for each, message, head in zip(explained, messages, heads, strict=True)
    ]


def _show(found: list[tuple[Explanation, Opened | None]], options: argparse.Namespace) -> int:
    """Write what was found, and return the exit status: 1 where something failed."""
    if options.json:
        from cosem.cli.output import print_json

        facts = [_facts(explanation, opened, options.data) for explanation, opened in found]
        print_json(facts[0] if len(facts) == 1 else facts)
    elif options.xml:
        print("".join(_xml(explanation, options) for explanation, _ in found), end="")
    else:
        for index, (explanation, opened) in enumerate(found):
            if index:
                print()
            _print(explanation, opened)
    return int(any(opened is not None and opened.failed for _, opened in found))


def _print(explanation: Explanation, opened: Opened | None) -> None:
    from cosem.cli.output import print_explanation

    print_explanation(explanation)
    if opened is None:
        return
    print(f"\n{opened.words}")
    for finding in opened.inspection.findings:
        print(f"finding: {finding}")
    if opened.explanation is not None:
        print_explanation(opened.explanation)


def _facts(explanation: Explanation, opened: Opened | None, is_data: bool) -> dict[str, Any]:
    from cosem.translate.as_json import apdu_to_json, data_to_json

    if is_data:
        said: dict[str, Any] = {"data": data_to_json(explanation.value)}
    else:
        ciphered = type(explanation.value).__name__ in _CIPHERED
        said = {
            "apdu": apdu_to_json(explanation.value),
            "verification": "unverifiable" if ciphered else None,
            "plain": None,
        }
        if opened is not None:
            said |= facts_of(opened)
    tree = explanation.to_json()
    findings = [*tree["findings"], *(opened.inspection.findings if opened is not None else ())]
    return {"octets": tree["octets"], **said, "findings": findings, "tree": tree["tree"]}


def _xml(explanation: Explanation, options: argparse.Namespace) -> str:
    if options.data:
        from cosem.translate.xml_data import data_element
        from cosem.translate.xml_tree import serialize

        return serialize(data_element(explanation.value, lossy=not options.strict))
    from cosem.translate.xml import to_xml

    return to_xml(explanation.value, strict=options.strict, lossy=not options.strict)
