"""Take a message apart: what each octet of an APDU means, as a tree with offsets.

Any APDU of IEC 62056-5-3, with or without the header of the TCP-UDP wrapper; several units of the wrapper
one after the other; with --data one value of Data. What is encrypted is shown as the envelope that it is.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

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
)
_WRAPPER: Final = b"\x00\x01"
_WRAPPER_HEADER: Final = 8
_CIPHERED: Final = frozenset(
    {"CipheredApdu", "GeneralGloCiphering", "GeneralDedCiphering", "GeneralCiphering"}
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
    parser.add_argument("--data", action="store_true", help="the octets are one value of Data, not an APDU")
    parser.add_argument("--xml", action="store_true", help="as XML of the published schema")
    parser.add_argument("--strict", action="store_true", help="refuse what deviates from the standard")


def run(options: argparse.Namespace) -> int:
    """Explain the octets."""
    if options.xml and options.json:
        raise ConfigurationError("--xml and --json exclude each other")
    octets = octets_of_words(options.octets)
    if options.data:
        from cosem.translate.explain import explain_data

        _show([explain_data(octets, strict=options.strict)], options)
        return 0
    try:
        _show(list(_explanations(octets, options.strict)), options)
    except DecodeError as error:
        hint = _OTHERS.get(octets[0])
        if hint is None or error.offset:
            raise
        raise CosemError(f"{error}; {hint}") from None
    return 0


def _explanations(octets: bytes, strict: bool) -> list[Explanation]:
    """Return what each message says: one, or as many as there are units of the wrapper."""
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
    return [explain(message, strict=strict) for message in messages]


def _show(explanations: list[Explanation], options: argparse.Namespace) -> None:
    if options.json:
        from cosem.cli.output import print_json

        facts = [_facts(explanation, options.data) for explanation in explanations]
        print_json(facts[0] if len(facts) == 1 else facts)
    elif options.xml:
        print("".join(_xml(explanation, options) for explanation in explanations), end="")
    else:
        from cosem.cli.output import print_explanation

        for index, explanation in enumerate(explanations):
            if index:
                print()
            print_explanation(explanation)


def _facts(explanation: Explanation, is_data: bool) -> dict[str, Any]:
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
    tree = explanation.to_json()
    return {"octets": tree["octets"], **said, "findings": tree["findings"], "tree": tree["tree"]}


def _xml(explanation: Explanation, options: argparse.Namespace) -> str:
    if options.data:
        from cosem.translate.xml_data import data_element
        from cosem.translate.xml_tree import serialize

        return serialize(data_element(explanation.value, lossy=not options.strict))
    from cosem.translate.xml import to_xml

    return to_xml(explanation.value, strict=options.strict, lossy=not options.strict)
