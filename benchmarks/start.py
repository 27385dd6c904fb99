"""CPU time of starting: ``import cosem`` and ``cosem --help``, above the bare interpreter, beside the peers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["report"]


def cpu(command: list[str]) -> float:
    """Return the CPU time of a process in milliseconds, user and system."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def report(peers: Path, rounds: int) -> None:
    """Print the best of ``rounds`` turns, taken by turns."""
    commands = {
        "the bare interpreter": [sys.executable, "-c", "pass"],
        "import cosem": [sys.executable, "-c", "import cosem"],
        "cosem --help": [str(Path(sys.executable).parent / "cosem"), "--help"],
        "the bare interpreter, peers": [str(peers), "-c", "pass"],
        "import gurux_dlms": [str(peers), "-c", "import gurux_dlms"],
        "import dlms_cosem.client": [str(peers), "-c", "import dlms_cosem.client"],
        "import pydlms.client": [str(peers), "-c", "import pydlms.client"],
    }
    best: dict[str, float] = {}
    for _ in range(max(rounds, 5)):
        for name, command in commands.items():
            try:
                best[name] = min(best.get(name, float("inf")), cpu(command))
            except RuntimeError as error:
                best[name] = float("inf")
                print(f"failed: {error}", file=sys.stderr)
    print("\n| start (ms CPU) | whole | above the interpreter | to reach |\n|---|--:|--:|---|")
    bare = best["the bare interpreter"]
    goals = {"import cosem": "under 60 above", "cosem --help": "under 100 whole"}
    for name, value in best.items():
        if name == "the bare interpreter, peers":
            bare = value
        print(f"| {name} | {value:.0f} | {value - bare:.0f} | {goals.get(name, '')} |")
