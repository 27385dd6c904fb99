"""Take out of a recording what tells which meter it was, and whose, so that it can be shared.

Serial numbers, device names, system titles, texts, addresses and measured values get others of the same length, the
same ones wherever the same ones stood; names of objects, moments and units stay. The result decodes and replays as
before. Ciphered contents become noise.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path
from typing import Final

from cosem.errors import ConfigurationError

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem redact meter.jsonl -o shared.jsonl", "for a report of a fault"),
    ("cosem redact meter.jsonl --keep-values -o shared.jsonl", "with the readings"),
)
_KEY_SIZE: Final = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("file", metavar="FILE", help="a recording that --record made")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="where to write; - for standard output"
    )
    parser.add_argument(
        "--keep-values",
        action="store_true",
        help="leave numbers as they are: readings of a household are personal",
    )


def run(options: argparse.Namespace) -> int:
    """Write the redacted recording."""
    from cosem.cli.recording import read_recording
    from cosem.translate.redaction import redact

    to_standard_output = options.output == "-"
    if to_standard_output and options.json:
        raise ConfigurationError("--json tells what was done: not with -o -")
    if (
        not to_standard_output
        and Path(options.output).exists()
        and Path(options.output).samefile(options.file)
    ):
        raise ConfigurationError("the recording itself would be overwritten: give another name to -o")
    recording = read_recording(options.file)
    found = redact(recording, secrets.token_bytes(_KEY_SIZE), keep_values=options.keep_values)
    if to_standard_output:
        sys.stdout.write(found.to_text())
        return 0
    Path(options.output).write_text(found.to_text(), encoding="ascii")
    if options.json:
        from cosem.cli.output import print_json

        print_json({"file": options.output, "apdus": len(found.apdus), "lines": len(found.entries)})
    else:
        print(f"{options.output}: {len(found.apdus)} APDUs, redacted")
    return 0
