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
from tests.interop.demonstration import OurReading, plan_with_range, read_with_ours
from tests.interop.judging import ABSENT, CAPABILITIES, CLIENTS, Seen, absent, outcome
from tests.interop.secured_readings import OURS, SCRIPTS, judge, not_offered, read_by
from tests.interop.securities import SIMULATED, TABLES, SecurityCase, keys_of_simulator, security_of_ours
from tests.interop.simulator_steps import STEPS, Simulated, finish, finish_async

collect_ignore_glob = ["peers/*.py"]
"""The peers run in an environment of their own: here there is nothing that they could import."""

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
PEER_PYTHON = ROOT / ".venv-interop" / "bin" / "python"


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


METERS = sorted({(each.suite, each.kinds) for each in SIMULATED})
"""A simulator has one suite and one policy."""


@pytest.fixture(scope="session")
def simulators(peer_python: Path) -> Iterator[dict[tuple[int, str], Simulated]]:
    """The simulators of pydlms-client, by suite and by what they ask of APDUs."""
    wanted = [
        {
            "suite": suite,
            "kinds": kinds,
            "keys": keys_of_simulator(suite),
            "clients": [
                each.association() for each in SIMULATED if (each.suite, each.kinds) == (suite, kinds)
            ],
        }
        for suite, kinds in METERS
    ]
    with subprocess.Popen(
        [peer_python, PEERS / "pydlms_simulator.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            print(json.dumps(wanted), file=process.stdin, flush=True)
            ports, contents = (json.loads(process.stdout.readline()) for _ in range(2))
            yield {meter: Simulated(*pair, contents) for meter, pair in zip(METERS, ports, strict=True)}
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def simulator(simulators: dict[tuple[int, str], Simulated]) -> Simulated:
    """The simulator of suite 0."""
    return simulators[0, "AE"]


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
def secured(peer_python: Path) -> dict[str, tuple[OurReading, dict[str, Any]]]:
    """What ours and each peer's client read in each secured association of our server."""
    peers = [OURS, *SCRIPTS]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(peers, pool.map(lambda peer: read_by(peer, peer_python), peers), strict=True))


@pytest.fixture(scope="session")
def ours_at_simulator(
    simulators: dict[tuple[int, str], Simulated],
) -> Callable[[str, str, SecurityCase | None], None]:
    """Run a capability at a simulator with one of our clients."""
    counters = {meter: VolatileCounterStore() for meter in simulators}  # it counts for all clients together

    def run(kind: str, capability: str, case: SecurityCase | None = None) -> None:
        options: dict[str, Any] = {}
        meter = (0, "AE") if case is None else (case.suite, case.kinds)
        there = simulators[meter]
        if case is not None:
            security = security_of_ours(case, counters[meter], b"OUR00001")
            options = {"client": case.client, "security": security}
        if kind == "short names" or (case is not None and case.short_names):
            options["short_names"] = True
            there = there.with_short_names()
        url = there.hdlc_url if case is not None and case.hdlc else there.url
        if kind == "asynchronous":

            async def run_async() -> None:
                async with cosem.connect_async(url, **options) as meter:
                    await finish_async(STEPS[capability](meter, there))

            asyncio.run(run_async())
        else:
            with cosem.connect(url, **options) as client:
                finish(STEPS[capability](client, there))

    return run


@pytest.fixture(scope="session")
def judged(request: pytest.FixtureRequest) -> Callable[[str, str, str], str]:
    """Return what the matrix says of a section, a peer and a capability; fails where something went wrong."""

    def say(section: str, peer: str, capability: str) -> str:
        if section == "clients":
            seen = request.getfixturevalue("seen")
            return outcome(
                ABSENT.get((section, peer, capability)), lambda: CAPABILITIES[capability](seen[peer])
            )
        if section == "simulator":
            run = request.getfixturevalue("ours_at_simulator")
            return outcome(ABSENT.get((section, peer, capability)), lambda: run(peer, capability))
        where, _, table = section.partition(": ")
        case = next(each for each in TABLES[table] if each.row == capability)
        reason = absent(where, peer, case)
        if where == "simulator":
            run = request.getfixturevalue("ours_at_simulator")
            steps = ("write, and read back", "load profile, whole (in blocks)", "release")
            return outcome(reason, lambda: [run(peer, each, case) for each in steps])
        reference, reports = request.getfixturevalue("secured")[peer]
        report = reports[str(case.client)]
        return not_offered(report) or outcome(reason, lambda: judge(reference, report))

    found: dict[tuple[str, str, str], str] = {}

    def judged_once(section: str, peer: str, capability: str) -> str:
        key = section, peer, capability
        if key not in found:
            found[key] = say(*key)
        return found[key]

    return judged_once
