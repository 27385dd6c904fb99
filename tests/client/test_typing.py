"""What a type checker knows of values that are read by the declarations of classes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """\
from asyncio import TaskGroup
from typing import Any, assert_type

from cosem import AsyncClient, Client, Clock, DateTime, ProfileTable, Register
from cosem.client.profiles import AsyncProfile, Profile
from cosem.types.logical_name import LogicalName


def blocking(meter: Client, other: Client) -> None:
    assert_type(meter[Clock], Clock)
    assert_type(meter[Clock].time, DateTime)
    assert_type(meter[Clock.time], DateTime)
    assert_type(meter.value(Register.logical_name, "1-0:1.8.0"), LogicalName)
    assert_type(meter.object("1-0:1.8.0", Register), Register)
    assert_type(meter["1-0:1.8.0"], Any)
    assert_type(meter.profile("1-0:99.1.0"), Profile)
    assert_type(meter.profile("1-0:99.1.0").read(reconnect=lambda: other), ProfileTable)
    assert_type(meter[Clock.time], int)  # wrong
    meter[5.0]  # wrong


async def asynchronous(meter: AsyncClient, other: AsyncClient) -> None:
    assert_type(await meter[Clock.time], DateTime)
    assert_type(await meter[Clock.time_zone], int)
    assert_type(await meter.value(Clock.time), DateTime)
    assert_type(await meter.value(Register.logical_name, "1-0:1.8.0"), LogicalName)
    assert_type(meter[Clock], Any)
    assert_type(meter.profile("1-0:99.1.0"), AsyncProfile)
    async with TaskGroup() as group:
        time = group.create_task(meter[Clock.time])
    assert_type(time.result(), DateTime)
    assert_type(await meter[Clock.time], int)  # wrong
    meter[Clock.time]  # not awaited, which is wrong
"""


def test_a_type_checker_knows_what_a_value_is_and_sees_what_is_wrong(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    options = ["--strict", "--no-error-summary", "--hide-error-context", f"--cache-dir={tmp_path / 'cache'}"]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in run.stdout.splitlines() if ": error: " in line]
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("wrong")]
    assert [int(line.removeprefix(str(program)).split(":")[1]) for line in errors] == wrong, (
        run.stdout + run.stderr
    )
