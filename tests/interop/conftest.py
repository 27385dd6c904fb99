"""Processes of the interoperability tests: our servers, and peers run by the interpreter of ``.venv-interop``."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import cosem
from cosem.security.counters import VolatileCounterStore
from tests.interop.demonstration import PLAN, OurReading, plan_with_range, read_with_ours
from tests.interop.judging import CAPABILITIES, CLIENTS, Seen, outcome, succeeded
from tests.interop.securities import KEYS, SECURITIES, SERVER_TITLE, SecurityCase, security_of_ours
from tests.interop.simulator_steps import STEPS, Simulated, finish, finish_async

collect_ignore_glob = ["peers/*.py"]
"""The peers run in an environment of their own: here there is nothing that they could import."""

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
PEER_PYTHON = ROOT / ".venv-interop" / "bin" / "python"

Check = Callable[[], object]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-interop", action="store_true", help="write what was found into docs/interop.md"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def peer_python() -> Path:
    if not PEER_PYTHON.exists():
        message = f"{PEER_PYTHON.relative_to(ROOT)} is not there; `make test` makes it"
        if os.environ.get("CI"):
            pytest.fail(message)  # CI must not pass by leaving these tests out
        pytest.skip(message)
    return PEER_PYTHON


@pytest.fixture(scope="session")
def our_server() -> Iterator[int]:
    """`cosem serve` on a free port, as a user would start it; gives the port."""
    command = [str(Path(sys.executable).parent / "cosem"), "serve", "--listen", "tcp://127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout
        line = server.stdout.readline()
        found = re.search(r"tcp://127\.0\.0\.1:(\d+)", line)
        try:
            assert found, f"the server said {line!r}"
            yield int(found.group(1))
            assert server.poll() is None, "the server ended before it was stopped"
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def secured_server() -> Iterator[int]:
    """The demonstration meter with an association for each way to authenticate and cipher; gives the port."""
    keys = {name: octets.hex() for name, octets in KEYS.items()}
    wanted = {
        "keys": keys | {"server_title": SERVER_TITLE.hex()},
        "associations": [each.association() for each in SECURITIES],
    }
    command = [sys.executable, str(Path(__file__).parent / "secured_server.py"), json.dumps(wanted)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        try:
            yield int(server.stdout.readline())
            assert server.poll() is None, "the server ended before it was stopped"
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def simulator(peer_python: Path) -> Iterator[Simulated]:
    """The simulator of pydlms-client."""
    keys = {
        "system_title": SERVER_TITLE.hex(),
        "encryption_key": KEYS["guek"].hex(),
        "authentication_key": KEYS["gak"].hex(),
    }
    clients = [each.association() for each in SECURITIES]
    with subprocess.Popen(
        [
            peer_python,
            PEERS / "pydlms_simulator.py",
            "--clients",
            json.dumps(clients),
            "--keys",
            json.dumps(keys),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield Simulated(int(process.stdout.readline()), json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def run_client(peer_python: Path) -> Callable[..., dict[str, Any]]:
    """Run the client script of a peer to its end and return what it reported."""

    def run(script: str, port: int, plan: dict[str, Any], security: dict[str, Any], *options: str) -> Any:
        done = subprocess.run(
            [
                peer_python,
                PEERS / script,
                *("--port", str(port), "--plan", json.dumps(plan), "--security", json.dumps(security)),
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def seen(our_server: int, run_client: Callable[..., dict[str, Any]]) -> dict[str, Seen]:
    """What each peer's client saw at our server, and ours before and after."""
    plan = plan_with_range(our_server)
    everything = {}
    for peer, script in CLIENTS.items():
        before = read_with_ours(our_server, client=1, password="87654321")
        public = run_client(script, our_server, plan, {}, "--brief")
        right, wrong = ({"mechanism": 1, "secret": secret} for secret in ("87654321", "11111111"))
        management = run_client(script, our_server, plan, right, "--client", "1")
        refused = run_client(script, our_server, plan, wrong, "--client", "17", "--brief")
        after = read_with_ours(our_server, client=1, password="87654321")
        everything[peer] = Seen(plan, before, after, public, management, refused)
    return everything


@pytest.fixture(scope="session")
def secured(
    secured_server: int, run_client: Callable[..., dict[str, Any]]
) -> tuple[dict[str, OurReading], dict[tuple[str, str], dict[str, Any]]]:
    """What ours and then each peer's client saw in each secured association of our server, by way and peer."""
    counters = VolatileCounterStore()
    ours = {
        case.title: read_with_ours(
            secured_server, client=case.client, security=security_of_ours(case, b"OUR00001", counters)
        )
        for case in SECURITIES
    }

    def run(number: int, case: SecurityCase) -> dict[str, Any]:
        title = b"PEER" + bytes([number, case.client, 0, 1])  # each run counts from the beginning
        script, options = list(CLIENTS.values())[number], ("--client", str(case.client), "--brief")
        return run_client(script, secured_server, PLAN, case.security(title), *options)

    with ThreadPoolExecutor(2) as pool:
        found = {
            (peer, case.title): pool.submit(run, number, case)
            for number, peer in enumerate(CLIENTS)
            for case in SECURITIES
        }
        return ours, {key: future.result() for key, future in found.items()}


def _judge_secured(ours: OurReading, report: dict[str, Any]) -> None:
    succeeded(report, "open")
    assert succeeded(report, "identity") == ours.identity
    for name, (raw, scaler_unit) in ours.registers.items():
        found = succeeded(report, f"register {name}")
        assert (found["scaler"], found["unit"]) == (scaler_unit.scaler, scaler_unit.unit)
        assert found["raw"] >= raw or name == "1.0.32.7.0.255"
    rows = succeeded(report, "by entry")
    assert len(rows) == 5
    assert rows[:4] == ours.chosen(PLAN)[:4] or rows[:4] == ours.chosen(PLAN)[1:]
    succeeded(report, "release")


@pytest.fixture(scope="session")
def ours_at_simulator(simulator: Simulated) -> Callable[[str, str, SecurityCase | None], None]:
    """Run a capability at the simulator with one of our clients."""
    counters = VolatileCounterStore()

    def run(kind: str, capability: str, case: SecurityCase | None = None) -> None:
        options: dict[str, Any] = {}
        there = simulator
        if case is not None:
            security = security_of_ours(case, b"OUR00001", counters)
            options = {"client": case.client, "security": security}
        if kind == "short names":
            options["short_names"] = True
            there = simulator.with_short_names()
        if kind == "asynchronous":

            async def run_async() -> None:
                async with cosem.connect_async(there.url, **options) as meter:
                    await finish_async(STEPS[capability](meter, there))

            asyncio.run(run_async())
        else:
            with cosem.connect(there.url, **options) as meter:
                finish(STEPS[capability](meter, there))

    return run


@pytest.fixture(scope="session")
def judged(
    request: pytest.FixtureRequest,
) -> Callable[[str, str, str], str]:
    """Return what the matrix says of a section, a peer and a capability; fails where something went wrong."""

    def check(section: str, peer: str, capability: str) -> Check:
        if section == "clients":
            seen = request.getfixturevalue("seen")
            return lambda: CAPABILITIES[capability](seen[peer])
        if section == "secured clients":
            ours, reports = request.getfixturevalue("secured")
            return lambda: _judge_secured(ours[capability], reports[peer, capability])
        run = request.getfixturevalue("ours_at_simulator")
        if section == "simulator":
            return lambda: run(peer, capability)
        case = next(each for each in SECURITIES if each.title == capability)
        return lambda: [run(peer, each, case) for each in ("write, and read back", _LONG, "release")]

    found: dict[tuple[str, str, str], str] = {}

    def judge(section: str, peer: str, capability: str) -> str:
        key = section, peer, capability
        if key not in found:
            found[key] = outcome(peer, capability, check(*key))
        return found[key]

    return judge


_LONG = "load profile, whole (in blocks)"
