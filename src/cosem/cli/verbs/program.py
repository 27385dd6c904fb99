"""Read and write single registers of a meter as text (IEC 62056-21, programming mode of modes C and E).

The meter is called as for a readout and goes into programming mode; a password is given if there is one. What is to be
read and written is named as the meter has it, and done in the order of the command line. The exit status is 1 where
the meter refused anything. What was done before an error, Ctrl-C or SIGTERM is shown, and programming mode ended.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import PASSWORD_VARIABLE, password_of, quiet_logging
from cosem.cli.data_sets import AsText, facts_of, rows_of
from cosem.cli.recording import add_record_option, recording_each
from cosem.errors import ConfigurationError
from cosem.types.text import printable

if TYPE_CHECKING:
    from cosem.connecting.programming import Programming

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem program serial:///dev/ttyUSB0 --read 1.8.0 --read 0.9.1", "without a password"),
    ("cosem program tcp://10.0.0.7:7000 --password @p1.txt --read '0001(10)'", "with one, and data"),
    ("cosem program serial:///dev/ttyUSB0 --password - --write '0.9.2(261125)'", "a value is written"),
)
_SECONDS: Final = 120.0
_STEP: Final = re.compile(r"(?P<address>[^()]*)(?:\((?P<data>[^()]*)\))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "url", metavar="URL", help="serial:///dev/ttyUSB0, rfc2217://HOST:PORT or tcp://HOST:PORT"
    )
    parser.add_argument(
        "--read", dest="steps", metavar="ADDRESS[(DATA)]", action=_Step, help="read a register (R1)"
    )
    parser.add_argument(
        "--write", dest="steps", metavar="ADDRESS(VALUE)", action=_Step, help="write a register (W1)"
    )
    parser.add_argument(
        "--formatted", action="store_true", help="formatted communication: R2 and W2 instead of R1 and W1"
    )
    parser.add_argument(
        "--password",
        metavar="PASSWORD",
        help="text, hex:..., @FILE, env:NAME, or - to be asked; others can see what stands in a command line. "
        f"Default: the variable {PASSWORD_VARIABLE}",
    )
    parser.add_argument(
        "--level", type=int, choices=(1, 2), default=1, help="give the password as P1 (default) or P2"
    )
    parser.add_argument(
        "--limit", metavar="SECONDS", type=float, default=_SECONDS, help="stop after so long (default 120)"
    )
    add_record_option(parser)


class _Step(argparse.Action):
    """Keeps reads and writes in the order in which they are named."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one."""
        found = _STEP.fullmatch(values)
        writes = option_string == "--write"
        if found is None or not found["address"] or (writes and found["data"] is None):
            parser.error(f"{option_string} takes {self.metavar}, not {values!r}")
        steps = [*(namespace.steps or ()), (writes, found["address"], found["data"] or "")]
        setattr(namespace, self.dest, steps)


def run(options: argparse.Namespace) -> int:
    """Do what is asked for, and show what came of it."""
    from cosem.connecting.programming import program

    if not options.steps:
        raise ConfigurationError("nothing is to be read or written: --read or --write")
    try:
        password = (password_of(options.password) or b"").decode("ascii") or None
    except UnicodeDecodeError:
        raise ConfigurationError("the password is no text of seven bits") from None
    with _ending_at_sigterm(), quiet_logging(), recording_each(options.record) as observing:
        meter = program(
            options.url,
            password=password,
            level=options.level,
            timeout=options.limit,
            observing=None if observing is None else lambda address: AsText(observing(address)),
        )
        done = _Done()
        try:
            with meter:
                _do(meter, options, done)
        except BaseException:
            if done:
                _show(meter, done, as_json=options.json)
            raise
    _show(meter, done, as_json=options.json)
    return 1 if done.refused else 0


def _show(meter: Programming, done: _Done, *, as_json: bool) -> None:
    """Show what was done."""
    from cosem.cli.output import Column, print_json, print_table

    said = meter.identification
    if as_json:
        print_json(
            {
                "manufacturer": said.manufacturer,
                "identification": said.text,
                "values": [facts_of(each) for each in done.read],
                "written": done.written,
                "refused": done.refused,
            }
        )
    else:
        print(printable(f"{said.manufacturer} {said.text}"))
        rows = [*rows_of(done.read), *((address, "written", "") for address in done.written)]
        rows += [(each["address"], f"refused {each['error']}".rstrip(), "") for each in done.refused]
        print_table(
            (Column("address"), Column("value", right=True), Column("unit")),
            [tuple(map(printable, row)) for row in rows],
        )


class _Done:
    """What came of the steps."""

    def __init__(self) -> None:
        self.read: list[Any] = []
        self.written: list[str] = []
        self.refused: list[dict[str, str]] = []

    def __bool__(self) -> bool:
        return bool(self.read or self.written or self.refused)


@contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """Leave the block in order at SIGTERM, as at Ctrl-C; then the signal does what it does otherwise."""
    if threading.current_thread() is not threading.main_thread():  # there are no signals
        yield
        return
    came = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal came
        del number, frame
        if not came:
            came = True
            raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if former is None else former)
        if came:
            sys.stdout.flush()
            signal.raise_signal(signal.SIGTERM)


def _do(meter: Programming, options: argparse.Namespace, done: _Done) -> None:
    """Take the steps; one that is refused does not keep the others from being taken."""
    from cosem.connecting.programming import ProgrammingRefused

    ended = ""
    for writes, address, data in options.steps:
        if ended:
            done.refused.append({"address": address, "error": ended})
            continue
        try:
            if writes:
                meter.write(address, data, formatted=options.formatted)
                done.written.append(address)
            else:
                done.read += meter.read(address, formatted=options.formatted, data=data)
        except ProgrammingRefused as error:
            done.refused.append({"address": address, "error": error.error})
            if error.ended:
                ended = "after the meter ended programming mode"
