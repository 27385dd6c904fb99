"""Where pushes go is safe from what a meter says: terminals, spreadsheets, databases that are locked, full disks."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import errno
import io
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest

from cosem.cli import push_database
from cosem.cli.push_database import Database
from cosem.cli.push_sinks import CsvFile, Terminal
from cosem.cli.verbs import listen, probe
from cosem.connecting.probing import Outcome, ProbeStep
from cosem.push import decode

NOTIFICATION = bytes.fromhex("0F00000001000101020309060100010700FF060000011802020F00161B")
HEX = f"hex:{NOTIFICATION.hex()}"


def saying(text: str):
    (message,) = decode(NOTIFICATION)
    value = message.values[0]._replace(value=text, raw=text, unit=text)
    return dataclasses.replace(message, values=(value,), maker=text, reason=text)


def test_nothing_that_a_meter_says_is_obeyed_by_a_terminal(capsys):
    Terminal().take(saying("a\x1b[31mb"), "tcp://10.0.0.5:1", None)
    CsvFile("-").take(saying("a\x1b[31mb"), "tcp://10.0.0.5:1", None)
    listen._say("a\x1b[31mb")
    probe._show(ProbeStep("it", Outcome.ANSWERED, "a\x1b[31mb", 1.0))
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert said.out.count("a\\x1b[31mb") >= 5
    assert said.err == "cosem listen: a\\x1b[31mb\n"


def test_an_error_is_not_obeyed_by_a_terminal(cosem):
    done = cosem("listen", "a\x1b[31mb")
    assert "\x1b" not in done.err
    assert done.err.isprintable() or done.err.strip("\n").isprintable()


def test_nothing_that_a_meter_says_is_a_formula(tmp_path):
    file = tmp_path / "readings.csv"
    sink = CsvFile(str(file))
    sink.take(saying("=HYPERLINK(1)"), "-", None)
    sink.close()
    (row,) = csv.DictReader(io.StringIO(file.read_text()))
    assert (row["value"], row["raw"], row["unit"]) == ("'=HYPERLINK(1)",) * 3
    assert row["source"] == "-"


def test_a_negative_number_stays_one(tmp_path, cosem):
    file = tmp_path / "readings.csv"
    octets = NOTIFICATION.replace(bytes.fromhex("0600000118"), bytes.fromhex("05FFFFFEE8"))
    cosem("listen", "--quiet", "--csv", str(file), f"hex:{octets.hex()}")
    (row,) = csv.DictReader(io.StringIO(file.read_text()))
    assert (row["value"], row["raw"]) == ("-280", "-280")


@pytest.mark.parametrize("option", ["--csv", "--dead-letters", "--record"])
def test_a_file_for_which_there_is_no_room_is_named(tmp_path, option):
    file = str(tmp_path / "file")
    words = [sys.executable, "-m", "cosem", "listen", "--quiet", option, file, "-"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *words],
        check=False,
        input=bytes(300) + NOTIFICATION + bytes(300),
        capture_output=True,
    )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == f"cosem listen: error: {file}: {os.strerror(errno.EFBIG)}"


def test_lines_of_csv_and_of_json_are_not_mixed(cosem):
    done = cosem("listen", "--csv", "-", "--json", HEX)
    assert done.status == 2
    assert "both write to standard output" in done.err


def test_a_rate_of_0_is_refused(cosem):
    done = cosem("listen", "--baud", "0", "/dev/ttyUSB77")
    assert done.status == 2
    assert "0 '8N1' is no rate" in done.err


@pytest.mark.parametrize(
    "source",
    [
        "nosuch1.bin",
        "meters/2024.log",
        "./x1",
        "/nosuch/2024",
        "udp://127.0.0.1:4059",
        "connect+tcp://a:1",
    ],
)
def test_what_is_no_file_but_named_like_one_is_not_sniffed_as_octets(cosem, source):
    done = cosem("sniff", source)
    assert (done.status, done.out) == (2, "")
    assert source in done.err


@pytest.mark.parametrize(
    "source",
    [
        NOTIFICATION.hex(),
        NOTIFICATION.hex("."),
        NOTIFICATION.hex(" "),
        "".join(f"\\x{octet:02x}" for octet in NOTIFICATION),
        ",".join(f"0x{octet:02x}" for octet in NOTIFICATION),
        "/ISK5MT382-1000\r\n\r\n1-0:1.8.0(000100.000*kWh)\r\n!\r\n",
    ],
)
def test_octets_in_every_form_are_still_octets(cosem, source):
    done = cosem("sniff", source)
    assert done.status == 0
    assert "message:" in done.out


def test_a_pipe_and_a_port_by_any_name_are_sniffed(cosem, tmp_path):
    master, slave = os.openpty()
    name = tmp_path / "meter"
    name.symlink_to(os.ttyname(slave))
    try:
        done = cosem("sniff", str(name), "--seconds", "0.01")
    finally:
        os.close(master)
        os.close(slave)
    assert done.status == 1
    assert "nothing was heard" in done.err


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A database with a connection that has it locked, and what was said of it."""
    monkeypatch.setattr(push_database, "_PATIENCE", 1)
    path, said = str(tmp_path / "readings.db"), []
    database = Database(path, said.append)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield database, other, said


def test_what_comes_while_a_database_is_locked_is_written_later(locked):
    database, other, said = locked
    (message,) = decode(NOTIFICATION)
    for number in range(3):
        database.take(message, f"tcp://10.0.0.5:{number}", None)
    (only,) = said
    assert only.endswith("readings.db is locked by another program; messages wait for it")
    other.execute("COMMIT")
    database.retry()
    database.take(message, "tcp://10.0.0.5:3", None)
    database.close()
    rows = other.execute("SELECT source, value FROM messages JOIN readings ON message = id ORDER BY id")
    assert list(rows) == [(f"tcp://10.0.0.5:{number}", "280") for number in range(4)]


def test_a_database_that_stays_locked_is_a_failure_that_says_how_much_is_lost(locked, monkeypatch):
    monkeypatch.setattr(push_database, "_MOST_HELD", 2500)
    database, _, said = locked
    (message,) = decode(NOTIFICATION)
    for _ in range(5):
        database.take(message, "tcp://10.0.0.5:1", None)
    assert [text.partition("readings.db ")[2] for text in said] == [
        "is locked by another program; messages wait for it",
        "is locked for too long: further messages are not written to it",
    ]
    with pytest.raises(OSError, match="is locked: 5 messages not written"):
        database.close()


def test_a_listener_writes_what_waited_while_nothing_comes(locked, tmp_path, monkeypatch):
    database, other, _ = locked
    monkeypatch.setattr(listen, "_BETWEEN_TRIALS", 0.001)
    (message,) = decode(NOTIFICATION)
    database.take(message, "tcp://10.0.0.5:1", None)
    other.execute("COMMIT")

    async def until_it_is_there() -> int:
        tried = asyncio.Event()
        listening = SimpleNamespace(_database=SimpleNamespace(retry=lambda: tried.set() or database.retry()))
        retrying = asyncio.ensure_future(listen._Listening._retry(listening))
        await tried.wait()
        retrying.cancel()
        return other.execute("SELECT count(*) FROM messages").fetchone()[0]

    assert asyncio.run(asyncio.wait_for(until_it_is_there(), 20)) == 1
    database.close()
