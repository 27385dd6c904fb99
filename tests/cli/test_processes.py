"""The command line as processes: serving, stopping, interrupting, pipes that close."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

COSEM = (sys.executable, "-m", "cosem")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``cosem`` with these words; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []
    # A process inherits that SIGINT is ignored, as under nohup and in some CI; a handler it does not.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(*words: str, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COSEM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
        running.append(process)
        return process

    yield begin
    signal.signal(signal.SIGINT, former)
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COSEM, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_it_is_is_read_and_stops_cleanly(start, number):
    server = start("serve", "--listen", "tcp://127.0.0.1:0")
    line = server.stdout.readline()
    assert line.startswith("serving the demonstration meter at tcp://127.0.0.1:")
    url = line.split(" at ")[1].split(";")[0]
    done = run("read", url, "1-0:1.8.0", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["unit"] == "Wh"
    server.send_signal(number)
    out, err = server.communicate(timeout=30)
    assert (server.returncode, out, err) == (0, "", "")


def test_serve_at_several_addresses_for_machines(start):
    server = start("serve", "--json", "--listen", "tcp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0")
    facts = json.loads(server.stdout.readline())
    assert len(facts["urls"]) == 2
    assert facts["url"] == facts["urls"][0]
    for url in facts["urls"]:
        assert run("get", url, "0-0:1.0.0:3").returncode == 0


def test_serve_names_every_address_in_one_line(start):
    listen = [word for _ in range(6) for word in ("--listen", "tcp://127.0.0.1:0")]
    urls = json.loads(start("serve", *listen, "--json").stdout.readline())["urls"]
    assert len(set(urls)) == 6
    said = start("serve", *listen).stdout.readline()
    assert len(set(re.findall(r"tcp://127\.0\.0\.1:\d+", said))) == 6
    many = start("serve", "single-phase", "--count", "6", *listen[:4]).stdout.readline()
    assert len(re.findall(r"tcp://127\.0\.0\.1:\d+ to tcp://127\.0\.0\.1:\d+", many)) == 2


def test_serve_goes_on_after_rubbish_and_broken_connections(start):
    server = start("serve", "--json", "--listen", "tcp://127.0.0.1:0")
    url = json.loads(server.stdout.readline())["url"]
    address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
    for rubbish in (b"GET / HTTP/1.0\r\n\r\n", b"\x00\x01\x00\x10\x00\x01\xff", bytes(2000), b""):
        with socket.create_connection(address, 30) as connection:
            connection.sendall(rubbish)
    assert run("read", url, "1-0:1.8.0").returncode == 0
    server.send_signal(signal.SIGTERM)
    _, err = server.communicate(timeout=30)
    assert server.returncode == 0
    assert "Traceback" not in err


def test_serve_at_a_port_that_is_taken_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--listen", f"tcp://127.0.0.1:{taken.getsockname()[1]}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "cannot listen" in done.stderr


@pytest.mark.parametrize("url", ["ftp://x", "tcp://127.0.0.1:99999", "tcp://[", "serial:", "pty:?client=1"])
def test_serve_at_what_is_no_address_is_wrong_usage(url):
    done = run("serve", "--listen", url)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_an_interrupted_read_says_so(start):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reader = start("read", f"tcp://127.0.0.1:{listening.getsockname()[1]}", "1-0:1.8.0")
        with listening.accept()[0] as connection:
            assert connection.recv(1)  # it waits for an answer now
            reader.send_signal(signal.SIGINT)
            out, err = reader.communicate(timeout=30)
    assert (reader.returncode, out, err) == (130, "", "cosem read: interrupted\n")


@pytest.mark.parametrize(
    "words", [["classes"], ["--help"], ["read", "--help"], ["decode", "00"]], ids=" ".join
)
def test_a_reader_who_goes_away_stops_the_output_without_a_traceback(words):
    reading, writing = os.pipe()
    process = subprocess.Popen([*COSEM, *words], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    os.close(reading)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == b"" or words == ["decode", "00"]
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


@pytest.mark.parametrize(
    "words",
    [["read", "sim:", "1-0:32.7.0"], ["--help"], ["read", "--help"], ["decode", "C001C1"], []],
    ids=" ".join,
)
@pytest.mark.parametrize("closed", ["1", "2", "1 2"])
def test_streams_that_are_closed_from_the_start_are_a_failure_where_something_is_lost(words, closed):
    closing = "".join(f" {number}>&-" for number in closed.split())
    command = ["sh", "-c", f'exec "$@"{closing}', "sh", *COSEM, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lost = "1" in closed.split()
    assert done.returncode == (2 if not words else 1 if words[0] == "decode" or lost else 0)
    said = lost and words and words[0] != "decode" and "2" not in closed.split()
    assert ("standard output is closed" in done.stderr) is bool(said)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


def test_a_meter_that_stops_in_the_middle_of_a_transfer_is_one_line(start):
    """A peer that passes on the answers of a meter, and dies after the third of them."""
    server = start("serve", "--json", "--listen", "tcp://127.0.0.1:0")
    meter = ("127.0.0.1", int(json.loads(server.stdout.readline())["url"].rsplit(":", 1)[1]))

    def pass_on(listening: socket.socket) -> None:
        with listening.accept()[0] as client, socket.create_connection(meter, 30) as upstream:
            for _ in range(3):
                upstream.sendall(client.recv(65536))
                client.sendall(upstream.recv(65536))
            client.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=pass_on, args=(listening,), daemon=True)
        thread.start()
        url = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        done = run("get", url, "1-0:99.1.0:2", "--class", "7")
        thread.join(30)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "closed" in done.stderr or "lost" in done.stderr
    assert run("read", f"tcp://127.0.0.1:{meter[1]}", "1-0:1.8.0").returncode == 0
