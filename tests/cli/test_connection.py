"""Meters that are not there, do not answer, or are something else: one line that says what and why."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from cosem.cli.connection import password_of
from cosem.cli.watching import ApduObserver, ProgressObserver, masked
from cosem.errors import ConfigurationError


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start something that listens, and return its URL; it is given one connection."""
    threads = []

    def start(behaviour: Callable[[socket.socket], None]) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(30)

        def serve() -> None:
            with listening, listening.accept()[0] as connection:
                connection.settimeout(30)
                behaviour(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        threads.append(thread)
        return f"tcp://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(30)


def until_closed(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def one_line(done, status: int = 1) -> str:
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)
    assert done.err.startswith("cosem read: error: ")
    return done.err


def test_nobody_listens(cosem):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    said = one_line(cosem("read", f"tcp://127.0.0.1:{port}", "1-0:1.8.0"))
    assert f"127.0.0.1:{port}" in said
    assert "refused" in said


def test_no_such_host(cosem):
    assert "nowhere.invalid" in one_line(cosem("read", "tcp://nowhere.invalid", "1-0:1.8.0"))


def test_peer_closes_at_once(cosem, peer):
    said = one_line(cosem("read", peer(lambda connection: None), "1-0:1.8.0"))
    assert "closed the connection" in said or " lost: " in said  # who was faster


def test_peer_closes_after_the_request(cosem, peer):
    url = peer(lambda connection: connection.recv(4096) and None)
    said = one_line(cosem("read", url, "1-0:1.8.0"))
    assert "closed the connection" in said or " lost: " in said


def test_peer_never_answers(cosem, peer):
    said = one_line(cosem("read", peer(until_closed), "1-0:1.8.0", "--timeout", "0.05"))
    assert "0.05 s" in said


@pytest.mark.parametrize(
    "rubbish",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\x01\x00\x01\x00\x10\x00\x03abc",
        b"\x00\x01\x00\x01\x00\x10\x00\x02\x61\x80",
        b"\x00\x01\x00\x01\x00\x10\x00\x03\xd8\x01\x01",
        b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e",
    ],
)
def test_peer_says_rubbish(cosem, peer, rubbish):
    def behaviour(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(rubbish)

    one_line(cosem("read", peer(behaviour), "1-0:1.8.0", "--timeout", "5"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required: URL, OBIS"),
        (["sim:"], "the following arguments are required: OBIS"),
        (["ftp://x", "1-0:1.8.0"], "unknown scheme 'ftp'"),
        (["tcp://", "1-0:1.8.0"], "names no host"),
        (["tcp://x:99999", "1-0:1.8.0"], "is no URL"),
        (["tcp://x", "1.8.0"], "did you mean 1-0:1.8.0?"),
        (["tcp://x", "active energy import total"], "did you mean 1-0:1.8.0?"),
        (["tcp://x", ""], "is no logical name"),
        (["tcp://x", "xyzzy qwerty"], "is no logical name"),
        (["tcp://x", "1-0:300.8.0"], "0..255"),
        (["tcp://x?colour=red", "1-0:1.8.0"], "unknown option colour"),
        (["tcp://x?client=one", "1-0:1.8.0"], "is no number"),
        (["tcp://x?client=1", "1-0:1.8.0", "--client", "2"], "client is 1 in the URL"),
        (["tcp://x", "1-0:1.8.0", "--client", "70000"], "outside 0..65535"),
        (["tcp://x", "1-0:1.8.0", "--client", "x"], "is no number"),
        (["tcp://x", "1-0:1.8.0", "--timeout", "0"], "0 is not above 0 and at most 86400 seconds"),
        (["tcp://x", "1-0:1.8.0", "--timeout", "nan"], "nan is not above 0"),
        (["tcp://x", "1-0:1.8.0", "--timeout", "soon"], "no number of seconds"),
        (["tcp://x", "1-0:1.8.0", "--password", "hex:xyz"], "not hexadecimal"),
        (["tcp://x", "1-0:1.8.0", "--password", "env:COSEM_NOT_SET"], "COSEM_NOT_SET"),
        (["tcp://x", "1-0:1.8.0", "--passwort", "secret"], "did you mean --password?"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_connected(cosem, words, said):
    assert said in one_line(cosem("read", *words), status=2)


@pytest.mark.parametrize(
    "words",
    [
        ["tcp://x", "1-0:1.8.0", "--passwort", "hunter2"],
        ["tcp://x", "1-0:1.8.0", "--passwort=hunter2"],
        ["tcp://x?password=hunter2", "1-0:1.8.0"],
        ["tcp://me:hunter2@x", "1-0:1.8.0"],
    ],
)
def test_what_may_be_a_password_is_not_repeated(cosem, words):
    assert "hunter2" not in one_line(cosem("read", *words), status=2)


def test_a_port_of_this_machine_is_told_how_to_be_written(cosem):
    said = one_line(cosem("read", "/dev/pts/2", "1-0:1.8.0"), status=2)
    assert "a serial port is written as serial:///dev/pts/2" in said


def test_a_password_file_that_cannot_be_read_is_a_failure(cosem):
    assert "/nowhere" in one_line(cosem("read", "tcp://x", "1-0:1.8.0", "--password", "@/nowhere"))


def test_a_password_comes_from_many_places(monkeypatch, tmp_path):
    monkeypatch.delenv("COSEM_PASSWORD", raising=False)
    assert password_of(None) is None
    assert password_of("12345678") == b"12345678"
    assert password_of("hex:00FF") == b"\x00\xff"
    path = tmp_path / "password"
    path.write_bytes(b"geheim \xff\r\n")
    assert password_of(f"@{path}") == b"geheim \xff"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(ConfigurationError, match="too long"):
        password_of(f"@{path}")
    monkeypatch.setenv("OTHER", "abc")
    assert password_of("env:OTHER") == b"abc"
    monkeypatch.setenv("COSEM_PASSWORD", "from the environment")
    assert password_of(None) == b"from the environment"
    assert password_of("given") == b"given"


class Input:
    def __init__(self, line: str, *, terminal: bool) -> None:
        self.line = line
        self.terminal = terminal

    def readline(self, size: int) -> str:
        return self.line[:size]

    def isatty(self) -> bool:
        return self.terminal


def test_a_password_can_be_asked(monkeypatch):
    monkeypatch.setattr("sys.stdin", Input("from a pipe\n", terminal=False))
    assert password_of("-") == b"from a pipe"
    monkeypatch.setattr("sys.stdin", Input("", terminal=True))
    monkeypatch.setattr("getpass.getpass", lambda prompt: "typed")
    assert password_of("-") == b"typed"
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigurationError, match="closed"):
        password_of("-")


def test_a_wrong_password_option_never_echoes_it(cosem):
    done = cosem("read", "tcp://x", "1-0:1.8.0", "--password", "hex:topsecret")
    assert "topsecret" not in done.err


def test_apdus_are_shown_with_the_secret_overwritten(capsys):
    observer = ApduObserver(b"12345678", explained=False)
    observer.apdu_sent(bytes.fromhex("C001C1000800000100 00FF0200"))
    observer.apdu_received(b"\xff12345678")
    observer.close()
    said = capsys.readouterr().err
    assert "> get-request-normal, 13 octets\n    C0 01 C1 00 08" in said
    assert "< not understood, 9 octets\n    FF 2A 2A" in said
    assert b"12345678".hex(" ") not in said
    ApduObserver(None, explained=True).apdu_sent(bytes.fromhex("C001C1000800000100 00FF0200"))
    assert "class-id = 8  (Clock)" in capsys.readouterr().err
    assert masked(b"abc", None) == masked(b"abc", b"") == b"abc"


def test_new_secrets_are_overwritten_where_apdus_are_shown(cosem, capsys):
    secret = "Secret_123"
    for verb in (
        ("set", "sim:", "0-0:40.0.2", "7", f"octet-string:{secret.encode().hex()}"),
        ("call", "sim:", "0-0:40.0.0", "2", f"octet-string:{secret.encode().hex()}"),
    ):
        for verbose in ("-v", "-vv"):
            done = cosem(*verb, "--client", "1", "--password", "87654321", verbose)
            shown = done.err.replace(" ", "").replace("\n", "").lower()
            assert ">set-request" in shown or ">action-request" in shown
            for password in (secret, "87654321"):
                assert password.lower() not in shown
                assert password.encode().hex() not in shown
            assert "2a" * len(secret) in shown


def test_progress_appears_only_when_it_takes_long(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("cosem.cli.watching.time.monotonic", lambda: now[0])
    observer = ProgressObserver()
    observer.apdu_received(bytes(100))
    observer.close()
    assert capsys.readouterr().err == ""
    now[0] = 2.0
    observer.apdu_received(bytes(899))
    assert capsys.readouterr().err == ""
    observer.apdu_received(bytes(1001))
    observer.apdu_received(bytes(1000))
    assert capsys.readouterr().err == "\r\x1b[Kreceived 2,000 octets, 1,000 a second"
    observer.close()
    assert capsys.readouterr().err == "\r\x1b[K"
    patient = ProgressObserver()
    now[0] = 5.0
    patient.apdu_received(bytes(10))
    assert "received 10 octets" in capsys.readouterr().err
