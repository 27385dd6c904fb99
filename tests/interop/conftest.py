"""Processes of the interoperability tests: our server, and peers run by the interpreter of ``.venv-interop``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

collect_ignore_glob = ["peers/*.py"]
"""The peers run in an environment of their own: here there is nothing that they could import."""

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
PEER_PYTHON = ROOT / ".venv-interop" / "bin" / "python"

#: What the clients are asked to do with the demonstration meter (`cosem serve`).
PLAN: dict[str, Any] = {
    "registers": ["1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.32.7.0.255"],
    "clock": "0.0.1.0.0.255",
    "profile": "1.0.99.1.0.255",
    "from_entry": 3,
    "entries": 5,
    "disconnect": "0.0.96.3.10.255",
}


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
def run_client(peer_python: Path) -> Callable[..., dict[str, Any]]:
    """Run the client script of a peer to its end and return what it reported."""

    def run(script: str, port: int, plan: dict[str, Any], *options: str) -> dict[str, Any]:
        done = subprocess.run(
            [peer_python, PEERS / script, "--port", str(port), "--plan", json.dumps(plan), *options],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return run


@pytest.fixture(scope="session")
def pydlms_simulator(peer_python: Path) -> Iterator[int]:
    """The simulator of pydlms-client on a free port; gives the port."""
    with subprocess.Popen(
        [peer_python, PEERS / "pydlms_simulator.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as simulator:
        assert simulator.stdout
        try:
            yield int(simulator.stdout.readline())
        finally:
            simulator.terminate()
