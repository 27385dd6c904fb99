"""Runs the cases of one subject when the driver says so: a line of JSON in, a line of JSON out.

This file and ``inputs.py`` use the standard library only: they run in the environment of every subject. The driver
puts the folder of ``inputs.py`` on the path.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Cases", "serve"]

#: Name of a case -> function that prepares it and returns what is to be measured.
Cases = dict[str, Callable[[dict[str, Any]], Callable[[], Any]]]


def measure(function: Callable[[], Any], number: int) -> float:
    """Return the CPU time of one call in nanoseconds, mean of ``number`` calls, garbage collection apart."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time_ns()
        for _ in range(number):
            function()
        return (time.process_time_ns() - start) / number
    finally:
        gc.enable()


def serve(cases: Cases) -> None:
    """Answer the driver, or run one case a number of times for an instruction counter and stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--case")
    parser.add_argument("--number", type=int, default=1)
    options = parser.parse_args()
    if options.case:
        function = cases[options.case]({})
        for _ in range(options.number):
            function()
        return
    prepared: dict[str, Callable[[], Any]] = {}
    print(json.dumps({"cases": sorted(cases)}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        name = order["case"]
        try:
            if name not in prepared:
                prepared[name] = cases[name](order)
                prepared[name]()
            answer: dict[str, Any] = {"nanoseconds": measure(prepared[name], order["number"])}
        except Exception as error:  # noqa: BLE001 -- a subject may fail in its own way; the driver prints it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
