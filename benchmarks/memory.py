"""Memory of idle sessions at one server: associated over TCP, then left alone.

What is counted is the growth of the resident memory of the server process, divided by the number of sessions.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["report"]

HERE = Path(__file__).resolve().parent
SESSIONS = 1000
AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0")


def resident(process: int) -> int:
    """Return the resident memory of a process in octets (Linux)."""
    return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf(
        "SC_PAGE_SIZE"
    )


def associate(port: int, client: int) -> socket.socket:
    """Open one session: AARQ over the TCP wrapper, AARE back."""
    line = socket.create_connection(("127.0.0.1", port), timeout=20)
    line.sendall(b"\x00\x01" + client.to_bytes(2, "big") + b"\x00\x01" + len(AARQ).to_bytes(2, "big") + AARQ)
    answer = line.recv(4096)
    if answer[8:9] != b"\x61" or b"\xa2\x03\x02\x01\x00" not in answer:
        raise RuntimeError(f"the association was refused: {answer.hex()}")
    return line


def octets_per_session(command: list[str], client: int) -> float:
    """Start a server that prints its port, open the sessions, and return what each cost."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port = int(server.stdout.readline())
        with contextlib.ExitStack() as stack:
            try:
                for _ in range(20):  # what is made at the first use is not of a session
                    stack.enter_context(associate(port, client))
                before = resident(server.pid)
                for _ in range(SESSIONS):
                    stack.enter_context(associate(port, client))
                time.sleep(0.5)
                return (resident(server.pid) - before) / SESSIONS
            finally:
                server.terminate()


def report(peers: Path) -> None:
    """Print what an idle session costs."""
    if not Path("/proc/self/statm").exists():
        print("\nmemory: only measured where /proc tells it")
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SESSIONS + 100
    if soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
    servers = {
        "cosem, one asyncio server": ([sys.executable, str(HERE / "idle_server.py")], "under 20"),
        "pydlms-client, its simulator (a thread each)": ([str(peers), str(HERE / "idle_simulator.py")], ""),
    }
    print(f"\n| {SESSIONS:,} idle sessions (kB each) | | to reach |\n|---|--:|---|")
    for name, (command, goal) in servers.items():
        try:
            print(f"| {name} | {octets_per_session(command, 16) / 1000:.1f} | {goal} |", flush=True)
        except (OSError, RuntimeError, ValueError) as error:
            print(f"| {name} | failed: {error} | {goal} |")
