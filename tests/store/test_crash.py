"""Processes that use one file of counters are killed, again and again: no value is ever given twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("counter_user.py")


def start(path, *arguments):
    command = [sys.executable, "-S", "-c", BOOT, str(path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


# -S and two paths: a process that starts fast; the package is where this interpreter finds it.
BOOT = (
    f"import sys, runpy; sys.path[:0] = [{str(Path(__file__).parents[2] / 'src')!r}];"
    f"sys.argv[0] = {str(SCRIPT)!r}; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_deaths_at_random_statements(tmp_path, seed):
    kills = 1000
    process = start(tmp_path / "counters", seed, kills)
    output, _ = process.communicate(timeout=300)
    *values, last = output.splitlines()
    assert last == f"deaths {kills}"
    given = [int(value) for value in values]
    assert len(given) > kills
    assert len(set(given)) == len(given)
    assert given == sorted(given)


def test_two_processes_that_die_use_no_value_twice(tmp_path):
    processes = [start(tmp_path / "counters", seed, 200) for seed in (3, 4)]
    given = []
    for process in processes:
        *values, last = process.communicate(timeout=300)[0].splitlines()
        assert last == "deaths 200"
        given += [int(value) for value in values]
    assert len(given) > 400
    assert len(set(given)) == len(given)


def test_sigkill_at_any_moment_among_three_processes(tmp_path):
    chance = random.Random(5)
    path = tmp_path / "counters"
    given: list[int] = []
    processes = [start(path) for _ in range(3)]
    try:
        for round_ in range(30):
            place = round_ % len(processes)
            victim = processes[place]
            given += [int(victim.stdout.readline()) for _ in range(chance.randint(0, 200))]
            victim.kill()
            given += [int(value) for value in victim.stdout.read().split()]
            assert victim.wait(60) == -signal.SIGKILL
            victim.stdout.close()
            processes[place] = start(path)
    finally:
        for process in processes:
            process.kill()
            given += [int(value) for value in process.stdout.read().split()]
            process.wait(60)
            process.stdout.close()
    assert len(given) > 1000
    assert len(set(given)) == len(given)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT max(next) FROM sent").fetchone()[0] > max(given)
    connection.close()
