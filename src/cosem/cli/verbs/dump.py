"""Take down a whole meter: every object, its rights, and every attribute that this client may read.

The file can be served again with cosem serve FILE, compared with cosem diff, and edited: it is TOML. Secrets are
never asked for, and none is in it. What a meter refused is noted as refused. Reading the buffers of all profiles
may take long; --no-buffers leaves them out.

A meter may have several logical devices. --devices takes down all that its SAP assignment lists, each into a file of
its own; cosem serve takes all of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cosem.cli.connection import add_connection_options
from cosem.cli.records import devices_of, record_facts, taken_down
from cosem.errors import ConfigurationError, CosemError

if TYPE_CHECKING:
    from cosem.classes.meter_record import MeterRecord

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem dump sim: -o meter.toml", "everything into a file"),
    ("cosem dump sim: --no-buffers", "without the rows of profiles"),
    ("cosem dump sim:water --no-buffers --json", "for machines"),
    ("cosem dump tcp://10.0.0.7 --client 1 -o m.toml", "as the management client sees it"),
    ("cosem dump tcp://10.0.0.7 --devices -o m.toml", "all its logical devices: m.toml, m-2.toml"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_connection_options(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write to this file instead")
    parser.add_argument("--no-buffers", action="store_true", help="leave out the buffers of profiles")
    parser.add_argument(
        "--devices",
        action="store_true",
        help="every logical device of the SAP assignment, too: FILE, then FILE-N for the one at address N",
    )


def run(options: argparse.Namespace) -> int:
    """Take the meter down."""
    if options.json and options.output is not None:
        raise ConfigurationError("choose one of --json and --output")
    if options.devices and not options.json and options.output is None:
        raise ConfigurationError("--devices makes several files: say --output, or --json")
    meters, problems = _taken_down(options)
    if options.json:
        from cosem.cli.output import print_json

        facts = [record_facts(meter) for meter in meters]
        print_json(facts if options.devices else facts[0])
    elif options.output is None:
        from cosem.translate.meter_file import meter_to_toml

        print(meter_to_toml(meters[0]), end="")
    else:
        first, *others = meters
        _write(first, Path(options.output))
        for meter in others:
            _write(meter, Path(options.output).with_stem(f"{Path(options.output).stem}-{meter.sap}"))
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


def _taken_down(options: argparse.Namespace) -> tuple[list[MeterRecord], list[str]]:
    """Return the logical devices that are asked for, and why others could not be taken down."""
    meters = [taken_down(options, options.url, buffers=not options.no_buffers)]
    problems: list[str] = []
    for sap, name in devices_of(meters[0]) if options.devices else ():
        if sap == meters[0].sap:
            continue
        options.server = sap
        try:
            meters.append(taken_down(options, options.url, buffers=not options.no_buffers))
        except CosemError as error:
            problems.append(f"logical device {sap} ({name.decode('latin-1')}): {error}")
    return meters, problems


def _write(meter: MeterRecord, path: Path) -> None:
    from cosem.translate.meter_file import meter_to_toml

    path.write_text(meter_to_toml(meter), encoding="utf-8")
    values = sum(len(each.values) for each in meter)
    refused = sum(len(each.refusals) for each in meter)
    note = f", {refused} refused" if refused else ""
    print(f"{len(meter.objects)} objects, {values} values{note}, written to {path}")
