"""What ``cosem listen`` heard is kept before it is confirmed, and nothing that was kept before spoils it."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import errno
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from paho.mqtt import client as paho

from cosem.cli import home_assistant, push_database
from cosem.cli.push_database import Database
from cosem.cli.push_keeping import Confirmations, Waiting
from cosem.cli.push_ports import Chunk
from cosem.cli.push_sinks import CsvFile, DeadLetters
from cosem.cli.verbs import listen
from cosem.link.wrapper import wrap
from cosem.push import decode
from cosem.push.findings import NOT_UNDERSTOOD
from tests.cli.test_home_assistant import Client
from tests.cli.test_listen import NOTIFICATION, Broker, lines_of, listening, port_of
from tests.vectors import vector

TIMED = bytes.fromhex("0F 4000002A 0C 07E60B0C0610360000FFC400") + NOTIFICATION[6:]
CONFIRM = wrap(bytes.fromhex("10 4000002A 00"), 103, 1)
DEVIATING = bytes.fromhex("0F40") + vector("telegrams", "kamstrup-no-list1-1ph-real").octets[5:]
CIPHERED = vector("telegrams", "apdu-data-notification-glo-u9n")


class Heard:
    """A listener without a port: what it was given, and what it answered."""

    def __init__(self, stack: ExitStack, *words: str) -> None:
        parser = ArgumentParser()
        parser.add_argument("--json", action="store_true")
        listen.add_arguments(parser)
        self.listening = listen._Listening(parser.parse_args(["tcp://127.0.0.1:0", "--quiet", *words]), stack)
        self.answers: list[bytes] = []

    def __call__(self, apdu: bytes, answer: Callable[[bytes], None] | None = None) -> list[bytes]:
        self.answers.clear()
        chunk = Chunk("tcp://10.0.0.5:1", wrap(apdu, 1, 103), answer=answer or self.answers.append)
        self.listening._take(chunk)
        return self.answers[:]


@pytest.fixture
def heard():
    with ExitStack() as stack:
        yield lambda *words: Heard(stack, *words)


def test_what_finds_no_room_is_not_confirmed(tmp_path):
    file = tmp_path / "readings.csv"
    words = ["listen", "tcp://127.0.0.1:0", "--quiet", "--csv", str(file)]
    limited = (
        "import resource, sys; from cosem.cli import main; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)); sys.exit(main({words!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", limited], stderr=subprocess.PIPE, text=True)
    try:
        with (
            socket.create_connection(("127.0.0.1", port_of(process.stderr.readline()))) as meter,
            meter.makefile("rb") as answers,
        ):
            meter.sendall(wrap(TIMED, 1, 103))
            assert answers.read(len(CONFIRM)) == CONFIRM
            meter.sendall(wrap(bytes.fromhex("0F 4000002B 00") + NOTIFICATION[6:], 1, 103))
            assert answers.read() == b""
        assert process.wait(20) == 1
    finally:
        process.kill()
        process.communicate()
    assert len(file.read_bytes()) == 300


def test_what_is_not_given_out_is_confirmed_only_where_the_dead_letters_keep_it(heard, tmp_path, capsys):
    listener = heard("--strict")
    assert listener(DEVIATING) == listener(DEVIATING) == []
    assert (
        capsys.readouterr().err.count("not done: what is not given out is kept by --dead-letters only") == 1
    )
    keeping = heard("--strict", "--dead-letters", str(tmp_path / "dead"))
    (answer,) = keeping(DEVIATING)
    assert answer[8:] == b"\x10" + DEVIATING[1:5] + b"\0"
    assert bytes.fromhex(lines_of((tmp_path / "dead").read_text())[0]["octets"]) == DEVIATING


def test_what_is_not_understood_is_not_confirmed_either(heard, tmp_path):
    chunk = Chunk("tcp://10.0.0.5:1", b"", answer=(answers := []).append)
    (message,) = decode(wrap(TIMED, 1, 103))
    message = dataclasses.replace(message, values=(), findings=(NOT_UNDERSTOOD,))
    heard().listening._message(message, chunk, None)
    assert answers == []
    heard("--dead-letters", str(tmp_path / "dead")).listening._message(message, chunk, None)
    assert answers == [CONFIRM]


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """The path of a database, and what lets go of it."""
    monkeypatch.setattr(push_database, "_PATIENCE", 1)
    path = str(tmp_path / "readings.db")
    Database(path, print).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        yield path, other


def test_what_waits_for_a_database_is_confirmed_when_it_is_written(heard, locked):
    path, other = locked
    listener = heard("--sqlite", path)
    other.execute("BEGIN EXCLUSIVE")
    assert listener(TIMED) == []
    other.execute("COMMIT")
    listener.listening._database.retry()
    listener.listening._confirmations.settle()
    assert listener.answers == [CONFIRM]
    assert listener(TIMED) == [CONFIRM]  # a repetition is answered at once
    assert other.execute("SELECT count(*) FROM messages").fetchone() == (1,)


def test_a_repetition_of_what_waits_is_confirmed_once_to_whoever_sent_it_last(heard, locked):
    path, other = locked
    listener = heard("--sqlite", path)
    other.execute("BEGIN EXCLUSIVE")
    again: list[bytes] = []
    assert listener(TIMED) == []
    assert listener(TIMED, again.append) == []
    assert again == []
    other.execute("COMMIT")
    listener.listening._database.retry()
    listener.listening._confirmations.settle()
    assert (listener.answers, again) == ([], [CONFIRM])


def test_what_found_no_room_beside_a_locked_database_is_taken_when_it_comes_again(heard, locked, monkeypatch):
    monkeypatch.setattr(push_database, "_MOST_HELD", 0)
    path, other = locked
    listener = heard("--sqlite", path)
    listener.listening._database._lost = -1  # so that its end is none of a failure
    other.execute("BEGIN EXCLUSIVE")
    assert listener(TIMED) == []
    other.execute("COMMIT")
    assert listener(TIMED) == [CONFIRM]
    assert other.execute("SELECT count(*) FROM messages").fetchone() == (1,)


def test_confirmations_go_out_before_the_end_where_so_many_messages_were_asked_for(locked):
    path, other = locked
    with (
        listening("tcp://127.0.0.1:0", "--count", "1", "--sqlite", path) as (process, said),
        socket.create_connection(("127.0.0.1", port_of(said))) as meter,
        meter.makefile("rb") as answers,
    ):
        other.execute("BEGIN EXCLUSIVE")
        meter.sendall(wrap(TIMED, 1, 103))
        assert "is locked by another program" in process.stderr.readline()
        other.execute("COMMIT")
        assert answers.read() == CONFIRM
        assert process.wait(20) == 0


def test_what_waits_for_a_broker_is_confirmed_when_it_was_taken(heard, monkeypatch):
    monkeypatch.setattr(paho, "Client", Client)
    monkeypatch.setattr(home_assistant, "_PATIENCE", 0.0)
    listener = heard("--mqtt", "mqtt://broker/meters")
    (broker,) = listener.listening._sinks
    client = broker._client
    client.connects()
    client.takes = False
    assert listener(TIMED) == []
    values = [number for number, (topic, _, kept) in enumerate(client.published, 1) if not kept]
    assert len(values) == 1
    client.on_publish(client, None, values[0], SimpleNamespace(is_failure=False), None)
    assert listener.answers == []  # that was another thread: the loop is told of it
    listener.listening._confirmations.settle()
    assert listener.answers == [CONFIRM]
    client.takes = True
    assert listener(TIMED) == [CONFIRM]
    for number in range(1, len(client.published) + 1):
        client.on_publish(client, None, number, SimpleNamespace(is_failure=False), None)


@pytest.mark.parametrize("lost", ["no room", "refused"])
def test_what_a_broker_did_not_take_is_taken_when_it_comes_again(heard, monkeypatch, lost):
    monkeypatch.setattr(paho, "Client", Client)
    monkeypatch.setattr(
        home_assistant.MqttBroker, "close", lambda _: None
    )  # which would say how many were lost
    listener = heard("--mqtt", "mqtt://broker/meters")
    (broker,) = listener.listening._sinks
    client = broker._client
    client.connects()
    client.room, client.takes = lost != "no room", False
    assert listener(TIMED) == []
    for number in range(1, len(client.published) + 1):
        client.on_publish(client, None, number, SimpleNamespace(is_failure=True), None)
    listener.listening._confirmations.settle()
    client.room = client.takes = True
    assert listener(TIMED) == [CONFIRM]


def test_a_broker_that_takes_what_came_wakes_the_listener():
    broker = Broker()
    broker.start()
    with (
        listening("tcp://127.0.0.1:0", "--mqtt", f"mqtt://127.0.0.1:{broker.port}") as (process, said),
        socket.create_connection(("127.0.0.1", port_of(said))) as meter,
        meter.makefile("rb") as answers,
        broker.server,
    ):
        meter.sendall(wrap(TIMED, 1, 103))
        assert answers.read(len(CONFIRM)) == CONFIRM
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_message_is_confirmed_when_the_last_of_its_sinks_has_kept_it():
    woken, done = [], []
    confirmations = Confirmations(lambda: woken.append(True))
    one, two = Waiting(), Waiting()
    one.more()
    confirmations.taken(b"1", [one, two], lambda: done.append("confirmed"), lambda: done.append("forgotten"))
    one.over(kept=True)
    two.over(kept=True)
    assert (woken, done) == ([], [])
    one.over(kept=True)
    assert woken == [True]
    confirmations.settle()
    assert done == ["confirmed"]
    lost = Waiting()
    lost.over(kept=False)
    confirmations.taken(None, [lost], lambda: done.append("confirmed"), lambda: done.append("forgotten"))
    confirmations.settle()
    assert done == ["confirmed", "forgotten"]
    asyncio.run(asyncio.wait_for(confirmations.last(), 20))  # there is nothing to wait for


# What was written before.


def count(path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return len(connection.execute(f"SELECT 1 FROM {table}").fetchall())  # noqa: S608 -- a name of ours


def test_what_could_not_be_read_leaves_room_for_itself(cosem, tmp_path):
    path = tmp_path / "readings.db"
    octets = CIPHERED.octets.hex()
    cosem("listen", "--quiet", "--sqlite", str(path), f"hex:{octets}")
    assert count(path, "messages") == 0
    done = cosem("listen", "--quiet", "--sqlite", str(path), f"hex:{octets}", "--key", CIPHERED["keys"]["ek"])
    assert done.status == 0
    assert (count(path, "messages"), count(path, "readings") > 0) == (1, True)


def test_a_message_gives_way_to_itself_once_values_were_found_in_it(tmp_path):
    path = str(tmp_path / "readings.db")
    (message,) = decode(TIMED)
    database = Database(path, print)
    database.take(dataclasses.replace(message, values=()), "-", None)
    database.take(message, "-", None)
    database.take(dataclasses.replace(message, values=()), "-", None)
    database.close()
    assert (count(path, "messages"), count(path, "readings")) == (1, 1)


def test_repetitions_that_are_asked_for_are_in_the_database_too(cosem, tmp_path):
    path = str(tmp_path / "readings.db")
    words = ("listen", "--quiet", "--sqlite", path, "-")
    cosem(*words, "--duplicates", stdin=TIMED * 2)
    assert (count(path, "messages"), count(path, "readings")) == (2, 2)


@pytest.mark.parametrize("cut", ["2,3", '2,"[3', '2,"a ""b"" c', '2,"a"'])
def test_lines_of_csv_begin_anew_after_one_that_was_cut(tmp_path, cut):
    file = tmp_path / "readings.csv"
    CsvFile(str(file)).close()
    file.write_bytes(file.read_bytes() + cut.encode())
    (message,) = decode(NOTIFICATION)
    sink = CsvFile(str(file))
    sink.take(message, "-", None)
    sink.close()
    _, row = csv.DictReader(io.StringIO(file.read_text()))
    assert (row["source"], row["value"]) == ("-", "280")
    before = file.read_bytes()
    CsvFile(str(file)).close()
    assert file.read_bytes() == before


def test_a_dead_letter_begins_anew_after_one_that_was_cut(tmp_path):
    file = tmp_path / "dead.jsonl"
    file.write_text('{"received": nu')
    for octets in (b"\1", b"\2"):
        letters = DeadLetters(str(file))
        letters.take(octets, "-", None, "none")
        letters.close()
    cut, *whole = file.read_text().splitlines()
    assert cut == '{"received": nu'
    assert [json.loads(line)["octets"] for line in whole] == ["01", "02"]


def test_a_file_that_may_not_be_read_is_written_all_the_same(tmp_path, monkeypatch):
    file = tmp_path / "dead.jsonl"
    file.write_text("{}\n")
    opened = Path.open

    def refused(path: Path, mode: str = "r", **named):
        if "r" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, mode, **named)

    monkeypatch.setattr(Path, "open", refused)
    letters = DeadLetters(str(file))
    letters.take(b"\1", "-", None, "none")
    letters.close()
    monkeypatch.undo()
    assert len(file.read_text().splitlines()) == 2


# The exit status.


@pytest.mark.parametrize(("read", "unread", "status"), [(1, 3, 1), (1, 1, 0), (3, 1, 0), (0, 1, 1)])
def test_the_exit_status_is_failure_where_most_could_not_be_read(cosem, read, unread, status):
    clear = wrap(NOTIFICATION, 1, 103)
    ciphered = [wrap(CIPHERED.octets[:-1] + bytes([number]), 1, 103) for number in range(unread)]
    done = cosem("listen", "--json", "-", stdin=b"".join(ciphered) + clear * read)
    assert len(lines_of(done.out)) == read + unread
    assert done.status == status
