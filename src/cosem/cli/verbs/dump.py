"""Take down a whole meter: every object, its rights, and every attribute that this client may read.

The file can be served again with cosem serve FILE, compared with cosem diff, and edited: it is TOML. Secrets are
never asked for, and none is in it. What a meter refused is noted as refused. Reading the buffers of all profiles
may take long; --no-buffers leaves them out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from cosem.cli.connection import add_connection_options
from cosem.cli.records import record_facts, taken_down
from cosem.errors import ConfigurationError

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem dump sim: -o meter.toml", "everything into a file"),
    ("cosem dump sim: --no-buffers", "without the rows of profiles"),
    ("cosem dump sim:water --no-buffers --json", "for machines"),
    ("cosem dump tcp://10.0.0.7 --client 1 -o m.toml", "as the management client sees it"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write to this file instead")
    parser.add_argument("--no-buffers", action="store_true", help="leave out the buffers of profiles")


def run(options: argparse.Namespace) -> int:
    """Take the meter down."""
    if options.json and options.output is not None:
        raise ConfigurationError("choose one of --json and --output")
    meter = taken_down(options, options.url, buffers=not options.no_buffers)
    if options.json:
        from cosem.cli.output import print_json

        print_json(record_facts(meter))
        return 0
    from cosem.translate.meter_file import meter_to_toml

    text = meter_to_toml(meter)
    if options.output is None:
        print(text, end="")
        return 0
    Path(options.output).write_text(text, encoding="utf-8")
    values = sum(len(each.values) for each in meter)
    refused = sum(len(each.refusals) for each in meter)
    note = f", {refused} refused" if refused else ""
    print(f"{len(meter.objects)} objects, {values} values{note}, written to {options.output}")
    return 0
