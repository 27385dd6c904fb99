"""Measure cosem beside other implementations, in one run, and print ratios.

Each subject runs in a process of its own; the driver lets them take turns, case by case, and keeps the best time of
each: what a shared machine adds to one turn it does not add to all. Absolute times of such a machine mean little;
the ratios of one run mean something. With ``--instructions`` the instructions are counted instead (valgrind), which
does not vary at all.

    make bench
    make bench BENCH_ARGS="--cases decode_rows,encode_rows --instructions"
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import many_rows
import memory
import start

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = ROOT / ".venv-interop" / "bin" / "python"

CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]

#: case -> (what it is, calls in one turn, calls for counting instructions, what it has to reach beside whom)
CASES: dict[str, tuple[str, int, int, str]] = {
    "decode_rows": ("decode Data of 1,440 rows", 2, 1, "8 x gurux-dlms, 4 x dlms-cosem"),
    "row_tuples": ("1,440 rows to tuples, standard library only", 10, 1, "60 x gurux-dlms, 30 x dlms-cosem"),
    "columns": ("1,440 rows to columns (numpy)", 20, 5, "300 x gurux-dlms"),
    "irregular_rows": ("1,440 rows, one clock, a fifth null", 2, 1, "8 x gurux-dlms"),
    "encode_rows": ("encode Data of 1,440 rows", 10, 1, "100 x gurux-dlms, 2 x dlms-cosem"),
    "get_request": ("build a GET request", 2000, 300, "3 x the fastest peer"),
    "get_response": ("read the GET response of a register", 2000, 300, "3 x the fastest peer"),
    "hdlc_frame": ("frame 2 kB in HDLC segments of 128 octets", 20, 3, "10 x gurux-dlms, 5 x pydlms-client"),
    "hdlc_deframe": ("deframe them", 20, 3, "10 x gurux-dlms, 5 x pydlms-client"),
    "protect": ("protect a SET request of 1 kB (suite 0, A and E), and open it", 500, 50, "2 x dlms-cosem"),
    "push": ("a ciphered DataNotification of 300 octets to values", 500, 50, "5 x dlms-cosem"),
    "client_profile": ("client CPU of 10,000 rows in blocks over loopback TCP", 1, 0, "below every peer"),
    "client_get": ("client CPU of one GET over loopback TCP", 300, 0, "below every peer"),
    "ciphered_get": ("the same, ciphered (HLS-GMAC, suite 0, A and E)", 300, 0, "below every peer"),
    "ciphered_profile": ("client CPU of 10,000 rows in blocks, ciphered", 1, 0, "below every peer"),
}


#: What else is measured, beside no peer or in another way.
REPORTS = ("many_rows", "start", "memory", "round_trips")


@dataclass
class Subject:
    """One implementation: how to run it, and what it took."""

    name: str
    python: Path
    script: Path
    process: subprocess.Popen[str] | None = None
    best: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)

    @property
    def command(self) -> list[str]:
        return [str(self.python), str(self.script)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the process of the subject for the block."""
        with subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        ) as self.process:
            try:
                assert self.process.stdout
                if not (first := self.process.stdout.readline()):
                    raise SystemExit(f"error: {self.name} could not be started: {' '.join(self.command)}")
                self.cases = json.loads(first)["cases"]
                yield
            finally:
                assert self.process.stdin
                self.process.stdin.close()

    def turn(self, case: str, number: int, port: int) -> None:
        """Let the subject run ``case``; keep its time if it is the best so far."""
        if case in self.errors or case not in self.cases:
            return
        assert self.process
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"case": case, "number": number, "port": port}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(
            self.process.stdout.readline() or '{"error": "the process ended"}'
        )
        if "error" in answer:
            self.errors[case] = answer["error"]
        else:
            self.best[case] = min(self.best.get(case, float("inf")), answer["nanoseconds"])

    def count(self, case: str, number: int) -> None:
        """Count the instructions of one call: those of ``number`` calls and one, less those of one."""
        counts = []
        for calls in (1, 1 + number):
            done = subprocess.run(
                [*CALLGRIND, *self.command, "--case", case, "--number", str(calls)],
                capture_output=True,
                text=True,
                check=False,
                env=environment(),
            )
            found = re.search(r"Collected : (\d+)", done.stderr)
            if done.returncode or not found:
                self.errors[case] = "no count: " + (done.stderr.strip().splitlines() or ["?"])[-1]
                return
            counts.append(int(found.group(1)))
        self.best[case] = (counts[1] - counts[0]) / number


def environment() -> dict[str, str]:
    """Return the environment of a subject: it finds the inputs, and hashes do not vary from run to run."""
    return {**os.environ, "PYTHONPATH": str(HERE), "PYTHONHASHSEED": "0"}


def subjects() -> list[Subject]:
    """Return cosem and the peers."""
    scripts = HERE / "subjects"
    return [
        Subject("cosem", Path(sys.executable), scripts / "cosem_subject.py"),
        Subject("gurux-dlms", PEERS, scripts / "gurux_subject.py"),
        Subject("dlms-cosem", PEERS, scripts / "dlms_cosem_subject.py"),
        Subject("pydlms-client", PEERS, scripts / "pydlms_subject.py"),
    ]


@contextmanager
def serving(script: str) -> Iterator[int]:
    """Run a server for every client, and give its port."""
    with subprocess.Popen([sys.executable, str(HERE / script)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def times(competitors: list[Subject], cases: list[str], rounds: int) -> None:
    """Let the subjects take turns, in another order each round."""
    with ExitStack() as stack:
        plain, ciphered = (
            stack.enter_context(serving(each)) for each in ("responder.py", "ciphered_server.py")
        )
        for subject in competitors:
            stack.enter_context(subject.running())
        for case in cases:
            print(f"{case}: {CASES[case][0]} ...", file=sys.stderr, flush=True)
            port = ciphered if case.startswith("ciphered") else plain
            for turn in range(rounds):
                for index in range(len(competitors)):
                    competitors[(index + turn) % len(competitors)].turn(case, CASES[case][1], port)


def table(competitors: list[Subject], cases: list[str], *, instructions: bool) -> None:
    """Print what each case took, and how many times longer each peer took than cosem."""
    unit = "instructions" if instructions else "µs CPU"
    ours, *peers = competitors
    print(f"\n| case ({unit}) | cosem | {' | '.join(f'{peer.name} | ratio' for peer in peers)} | to reach |")
    print("|---|--:|" + "--:|--:|" * len(peers) + "---|")
    for case in cases:
        scale = 1.0 if instructions else 1000.0
        mine = ours.best.get(case)
        cells = [CASES[case][0], f"{mine / scale:,.1f}" if mine else "failed"]
        for peer in peers:
            theirs = peer.best.get(case)
            cells.append(f"{theirs / scale:,.1f}" if theirs else "failed" if case in peer.errors else "-")
            cells.append(f"{theirs / mine:.1f}" if mine and theirs else "")
        print("| " + " | ".join([*cells, CASES[case][3]]) + " |")
    for subject in competitors:
        for case, error in subject.errors.items():
            print(f"\n{subject.name}, {case}: {error}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cases", default="", help=f"some of {', '.join(CASES)}, {', '.join(REPORTS)}; default: all"
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns of each subject (default 7)")
    parser.add_argument(
        "--instructions", action="store_true", help="count instructions with valgrind instead"
    )
    options = parser.parse_args()
    wanted = options.cases.split(",") if options.cases else [*CASES, *REPORTS]
    if unknown := [case for case in wanted if case not in {*CASES, *REPORTS}]:
        parser.error(f"no such case: {', '.join(unknown)}")
    if not PEERS.exists():
        parser.error("the peers are not installed; run this by `make bench`")
    cases = [case for case in CASES if case in wanted]
    competitors = subjects()
    if options.instructions:
        if not shutil.which("valgrind"):
            parser.error("valgrind was not found; without --instructions CPU time is measured")
        cases = [case for case in cases if CASES[case][2]]
        for case in cases:
            for subject in competitors:
                print(f"{case}: {subject.name} ...", file=sys.stderr, flush=True)
                subject.count(case, CASES[case][2])
    elif cases:
        times(competitors, cases, options.rounds)
    if cases:
        table(competitors, cases, instructions=options.instructions)
    if "many_rows" in wanted:
        many_rows.report(options.rounds)
    if "start" in wanted:
        start.report(PEERS, options.rounds)
    if "memory" in wanted:
        memory.report(PEERS)
    if "round_trips" in wanted:
        import round_trips

        print("\n" + round_trips.table(round_trips.measured()))


if __name__ == "__main__":
    main()
