"""``cosem listen``: every source and every place to go, duplicates, dead letters, keys, and stopping."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal

import pytest

from cosem.cli import home_assistant
from cosem.cli.home_assistant import announcement
from cosem.link.hdlc.frame import frame_octets
from cosem.link.wrapper import wrap
from cosem.push import decode
from tests.vectors import load, vector

AIDON = vector("telegrams", "aidon-no-list3")
CONFORMANT = vector("telegrams", "aidon-no-list2-1phase")
IDENTIFIED = vector("telegrams", "iskra-am550-hdlc-3seg")
KAIFA = vector("telegrams", "kaifa-at-netznoe-mbus-ciphered")
KAMSTRUP = vector("telegrams", "kamstrup-omnipower-ciphered-auth")
NOTIFICATION = bytes.fromhex("0F00000001000101020309060100010700FF060000011802020F00161B")


def lines_of(text: str) -> list[dict]:
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


@pytest.mark.parametrize("kind", ["file", "hexadecimal file", "standard input", "hexadecimal input", "hex:"])
def test_files_and_standard_input(cosem, tmp_path, kind):
    octets = IDENTIFIED.octets
    stdin = {"standard input": octets, "hexadecimal input": octets.hex(" ").encode()}.get(kind)
    source = (
        "-" if stdin is not None else f"hex:{octets.hex()}" if kind == "hex:" else str(tmp_path / "capture")
    )
    (tmp_path / "capture").write_bytes(octets if kind == "file" else octets.hex().encode())
    done = cosem("listen", "--json", source, stdin=stdin)
    assert (done.status, done.err) == (0, "")
    (line,) = lines_of(done.out)
    assert list(line)[:5] == ["timestamp", "source", "verification", "findings", "values"]
    assert line["timestamp"] == "2023-04-01T21:32:35+02:00"
    assert (line["source"], line["verification"]) == (source, None)
    assert line["findings"] == ["hdlc-ui-segmented"]
    voltage = next(value for value in line["values"] if value["obis"] == "1.0.32.7.0.255")
    assert voltage == {
        "obis": "1.0.32.7.0.255",
        "name": "Voltage, L1",
        "class_id": 3,
        "attribute": 2,
        "value": Decimal("236.4"),
        "unit": "V",
        "raw": 2364,
    }


@pytest.mark.parametrize(
    "entry",
    [
        each
        for each in load("telegrams")
        if each["kind"] in {"obis", "list", "amshan", "push", "energomera", "p1"}
    ],
    ids=lambda each: each.id,
)
def test_every_captured_push_is_a_line(cosem, entry):
    words = []
    if entry["keys"]:
        words = ["--key", entry["keys"]["ek"]]
        words += ["--auth-key", entry["keys"]["ak"]] if entry["keys"]["ak"] else []
    words += ["--damaged"] if entry.id == "lg-zmf100-embriq-badfcs" else []
    done = cosem("listen", "--json", "-", *words, stdin=entry.octets)
    (line,) = lines_of(done.out)
    assert done.status == 0
    assert line["values"]
    assert line["verification"] == (
        None if not entry["keys"] else "verified" if entry["keys"]["ak"] else "unverifiable"
    )


def test_people_get_a_table(cosem):
    done = cosem("listen", "-", stdin=AIDON.octets)
    assert "Aidon" in done.out
    assert "Active energy import (+A)" in done.out
    assert "22721380  Wh" in done.out


def test_keys_in_every_form(cosem, tmp_path, monkeypatch):
    key, authentication = KAMSTRUP["keys"]["ek"], KAMSTRUP["keys"]["ak"]
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)
    monkeypatch.setenv("GUEK", key)
    for form in (key, f"hex:{key}", f"@{tmp_path / 'key'}", "env:GUEK"):
        done = cosem(
            "listen", "--json", "-", "--key", form, "--auth-key", authentication, stdin=KAMSTRUP.octets
        )
        assert lines_of(done.out)[0]["verification"] == "verified"


@pytest.mark.parametrize(
    "words",
    [["--key", "12"], ["--key", "env:NOT_SET"], ["--key", "@nowhere"], ["--count", "0"], ["--baud", "9600"]],
)
def test_wrong_options_are_usage_errors_in_one_line(cosem, words):
    done = cosem("listen", "tcp://127.0.0.1:0", *words)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert not done.out


def test_without_the_key_the_message_says_so_and_the_status_is_failure(cosem, tmp_path):
    done = cosem("listen", "--json", "-", "--dead-letters", str(tmp_path / "dead"), stdin=KAIFA.octets)
    assert done.status == 1
    (line,) = lines_of(done.out)
    assert (line["verification"], line["values"]) == ("unverifiable", [])
    assert "no keys" in line["reason"]
    (letter,) = lines_of((tmp_path / "dead").read_text())
    opened = cosem("listen", "--json", f"hex:{letter['octets']}", "--key", KAIFA["keys"]["ek"])
    assert len(lines_of(opened.out)[0]["values"]) == 13


def test_with_an_authentication_key_nothing_unverifiable_is_given_out(cosem):
    done = cosem(
        "listen", "--json", "-", "--key", KAIFA["keys"]["ek"], "--auth-key", "00" * 16, stdin=KAIFA.octets
    )
    assert lines_of(done.out)[0]["values"] == []


def test_a_wrong_key_gives_no_value(cosem):
    done = cosem(
        "listen",
        "--json",
        "-",
        "--key",
        "00" * 16,
        "--auth-key",
        KAMSTRUP["keys"]["ak"],
        stdin=KAMSTRUP.octets,
    )
    assert done.status == 1
    assert lines_of(done.out)[0]["verification"] == "failed"
    assert lines_of(done.out)[0]["values"] == []


def test_repetitions_are_dropped_and_equal_values_are_not(cosem):
    done = cosem("listen", "--json", "-", stdin=IDENTIFIED.octets * 3)
    assert len(lines_of(done.out)) == 1
    assert "2 repeated" in done.err
    assert len(lines_of(cosem("listen", "--json", "--duplicates", "-", stdin=IDENTIFIED.octets * 3).out)) == 3
    # Without a time or a counter the same octets may be a new message.
    assert (
        len(
            lines_of(
                cosem("listen", "--json", "-", stdin=vector("telegrams", "aidon-no-list1").octets * 3).out
            )
        )
        == 3
    )


def test_rubbish_goes_to_the_dead_letters(cosem, tmp_path):
    rubbish = b"\x55\xaa\x55 noise \xff"
    done = cosem(
        "listen",
        "--json",
        "--dead-letters",
        str(tmp_path / "dead"),
        "-",
        stdin=rubbish + IDENTIFIED.octets + rubbish,
    )
    assert len(lines_of(done.out)) == 1
    letters = lines_of((tmp_path / "dead").read_text())
    assert b"".join(bytes.fromhex(letter["octets"]) for letter in letters) == rubbish * 2


def test_strict_keeps_what_deviates_in_the_dead_letters(cosem, tmp_path):
    done = cosem(
        "listen",
        "--json",
        "--strict",
        "--dead-letters",
        str(tmp_path / "dead"),
        "-",
        stdin=IDENTIFIED.octets + CONFORMANT.octets,
    )
    assert (
        [line["maker"] for line in lines_of(done.out)] == ["Aidon"] if "Aidon" in done.out else done.out == ""
    )
    assert "hdlc-ui-segmented" in done.err
    assert "hdlc-ui-segmented" in lines_of((tmp_path / "dead").read_text())[0]["reason"]


def test_csv_has_a_line_for_each_value_and_is_continued(cosem, tmp_path):
    path = tmp_path / "values.csv"
    for _ in range(2):
        cosem("listen", "--quiet", "--csv", str(path), "-", stdin=IDENTIFIED.octets)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == 32
    assert (rows[2]["obis"], rows[2]["value"], rows[2]["unit"]) == ("1.0.1.7.0.255", "182", "W")
    out = cosem("listen", "--csv", "-", "-", stdin=IDENTIFIED.octets).out
    assert len(out.splitlines()) == 17


def test_sqlite_has_each_message_once_and_exact_values(cosem, tmp_path):
    path = tmp_path / "readings.db"
    for _ in range(2):
        cosem("listen", "--quiet", "--sqlite", str(path), "-", stdin=IDENTIFIED.octets + CONFORMANT.octets)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (
            3,
        )  # one of them says no time
        row = connection.execute(
            "SELECT value, number, unit, raw FROM readings WHERE obis = '1.0.32.7.0.255'"
        ).fetchall()
        assert row[0] == ("236.4", 236.4, "V", "2364")
        assert connection.execute("SELECT timestamp FROM messages").fetchone() == (
            "2023-04-01T21:32:35+02:00",
        )


def test_a_file_that_is_no_database_is_an_error_in_one_line(cosem, tmp_path):
    path = tmp_path / "readings.db"
    path.write_bytes(b"no database at all" * 100)
    done = cosem("listen", "--sqlite", str(path), "-", stdin=IDENTIFIED.octets)
    assert done.status == 1
    assert "not a database" in done.err


def test_own_layouts_come_first(cosem, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        """
[[layout]]
name = "mine"
maker = "Home"
match = { elements = [2], types = ["double-long-unsigned", "long-unsigned"] }
names = ["1.0.1.8.0.255", "1.0.32.7.0.255"]
scales = [["1.0.1.8.0.255", 1, "Wh"], ["1.0.32.7.0.255", -1, "V"]]
"""
    )
    push = "0F 00000001 00 0202 06 00000102 12 0902"
    done = cosem("listen", "--json", "--layouts", str(path), f"hex:{push}")
    (line,) = lines_of(done.out)
    assert line["maker"] == "Home"
    assert [(value["obis"], value["value"], value["unit"]) for value in line["values"]] == [
        ("1.0.1.8.0.255", 2580, "Wh"),
        ("1.0.32.7.0.255", Decimal("230.6"), "V"),
    ]
    path.write_text("[[layout]]\nname = 'x'\nmatch = {}")
    assert cosem("listen", "--layouts", str(path), f"hex:{push}").status == 2


def test_nothing_found_is_a_failure_that_says_what_could_be_done(cosem):
    done = cosem("listen", "--json", "-", stdin=b"\x01\x02\x03")
    assert (done.status, done.out) == (1, "")
    assert "no message" in done.err
    damaged = cosem("listen", "--json", "-", stdin=vector("telegrams", "lg-zmf100-embriq-badfcs").octets)
    assert "--damaged" in damaged.err


# Ports: a process of its own, which is stopped as a service manager would.


@contextmanager
def listening(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cosem", "listen", "--json", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stderr.readline()
    finally:
        process.kill()
        process.communicate()


def port_of(line: str) -> int:
    return int(line.rpartition(":")[2])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_meters_that_connect_over_tcp_and_a_clean_stop(number):
    with listening("tcp://127.0.0.1:0") as (process, said):
        with (
            socket.create_connection(("127.0.0.1", port_of(said))) as one,
            socket.create_connection(("127.0.0.1", port_of(said))) as two,
        ):
            unit = wrap(NOTIFICATION, 1, 103)
            one.sendall(unit[:11])
            two.sendall(unit)
            second = json.loads(process.stdout.readline())
            one.sendall(unit[11:])
            first = json.loads(process.stdout.readline())
        assert first["values"][0]["value"] == second["values"][0]["value"] == 280
        assert first["source"] != second["source"]
        assert first["received"]
        process.send_signal(number)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()


def test_datagrams():
    with listening("udp://127.0.0.1:0", "--count", "2") as (process, said):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(wrap(NOTIFICATION, 1, 103), ("127.0.0.1", port_of(said)))
            assert json.loads(process.stdout.readline())["values"][0]["unit"] == "W"
            sender.sendto(NOTIFICATION, ("127.0.0.1", port_of(said)))
            assert json.loads(process.stdout.readline())["values"][0]["unit"] == "W"
        assert process.wait(20) == 0


def test_a_bridge_that_goes_away_is_connected_to_again():
    frame = frame_octets(bytes.fromhex("41 03"), 0x13, b"\xe6\xe7\x00" + NOTIFICATION)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        listening(f"connect+tcp://127.0.0.1:{server.getsockname()[1]}", "--count", "2") as (process, said),
    ):
        assert "connected" in said
        for cut in (5, 9):
            connection, _ = server.accept()
            with connection:
                connection.sendall(frame[:cut])
                connection.sendall(frame[cut:])
                assert json.loads(process.stdout.readline())["values"][0]["value"] == 280
        assert process.wait(20) == 0


def test_standard_input_that_stays_open_is_read_at_once_and_can_be_stopped():
    process = subprocess.Popen(
        [sys.executable, "-m", "cosem", "listen", "--json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        process.stdin.write(IDENTIFIED.octets)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["values"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.communicate()


def test_a_serial_port():
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        with listening(os.ttyname(theirs), "--count", "1") as (process, said):
            assert "listening to" in said
            os.write(ours, IDENTIFIED.octets)
            assert json.loads(process.stdout.readline())["values"]
            assert process.wait(20) == 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_port_that_is_unplugged_and_plugged_in_again(tmp_path):
    port = tmp_path / "port"
    ends = [os.openpty() for _ in range(2)]
    for _, theirs in ends:
        tty.setraw(theirs)
    (first, first_line), (second, second_line) = ends
    port.symlink_to(os.ttyname(first_line))
    try:
        with listening(f"serial://{port}", "--count", "2", "--duplicates") as (process, said):
            assert "listening to" in said
            os.write(first, IDENTIFIED.octets + IDENTIFIED.octets[:100])
            assert json.loads(process.stdout.readline())["values"]
            port.unlink()
            port.symlink_to(os.ttyname(second_line))
            os.close(first_line)
            os.close(first)
            while "listening to" not in process.stderr.readline():
                pass
            os.write(second, IDENTIFIED.octets)
            assert json.loads(process.stdout.readline())["values"]
            assert process.wait(20) == 0
    finally:
        for end in (second, second_line):
            os.close(end)


def test_a_bridge_that_is_joined_in_the_middle_of_a_message_gives_no_rest_of_it():
    octets = vector("telegrams", "iskra-am550-push-28").octets
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        listening(f"connect+tcp://127.0.0.1:{server.getsockname()[1]}", "--count", "1") as (process, _),
    ):
        for start in (100, 300, 500):
            connection, _ = server.accept()
            with connection:
                connection.sendall(octets[start:])
        connection, _ = server.accept()
        with connection:
            connection.sendall(octets[200:] + octets)
            said = json.loads(process.stdout.readline())
        assert len(said["values"]) == 27
        assert process.wait(20) == 0


@pytest.mark.parametrize("wanted", [True, False])
def test_a_notification_that_wants_to_be_confirmed_is(wanted):
    apdu = bytes.fromhex("0F 4000002A" if wanted else "0F 0000002A") + NOTIFICATION[5:]
    with (
        listening("tcp://127.0.0.1:0", "--count", "1") as (process, said),
        socket.create_connection(("127.0.0.1", port_of(said))) as meter,
        meter.makefile("rb") as answers,
    ):
        meter.sendall(wrap(apdu, 1, 103))
        assert json.loads(process.stdout.readline())["values"]
        wanted_answer = wrap(bytes.fromhex("10 4000002A 00"), 103, 1) if wanted else b""
        assert answers.read() == wanted_answer
        assert process.wait(20) == 0


def test_a_datagram_that_wants_to_be_confirmed_is():
    with (
        listening("udp://127.0.0.1:0", "--count", "2") as (process, said),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as meter,
    ):
        meter.settimeout(20)
        meter.connect(("127.0.0.1", port_of(said)))
        for number in ("0000002A", "4000002B"):  # the first one wants no answer
            meter.send(wrap(bytes.fromhex(f"0F {number}") + NOTIFICATION[5:], 1, 103))
            assert json.loads(process.stdout.readline())["values"]
        assert meter.recv(100) == wrap(bytes.fromhex("10 4000002B 00"), 103, 1)
        assert process.wait(20) == 0


def test_a_repeated_notification_is_confirmed_again():
    apdu = bytes.fromhex("0F 4000002A 0C 07E60B0C0610360000FFC400") + NOTIFICATION[6:]
    with (
        listening("tcp://127.0.0.1:0", "--key", "00" * 16) as (process, said),
        socket.create_connection(("127.0.0.1", port_of(said))) as meter,
        meter.makefile("rb") as answers,
    ):
        confirm = wrap(bytes.fromhex("10 4000002A 00"), 103, 1)
        for _ in range(2):
            meter.sendall(wrap(apdu, 1, 103))
            assert answers.read(len(confirm)) == confirm
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (bytes.fromhex("1B1B1B1B0101010176051234567862006200726301017601") + bytes(40), "SML"),
        (b"\x02\nADCO 012345678901 E\r\nOPTARIF BASE 0\r\nPAPP 00460 .\r\x03", "TIC"),
        (b"ADCO 012345678901 E\r\nOPTARIF BASE 0\r\nPAPP 00460 .\r\n", "TIC"),
        (
            bytes.fromhex(
                "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
            ),
            "wireless M-Bus",
        ),
    ],
)
def test_another_protocol_is_said_plainly(cosem, octets, words, tmp_path):
    (tmp_path / "capture").write_bytes(octets)
    for source, stdin in ((str(tmp_path / "capture"), None), ("-", octets), (f"hex:{octets.hex()}", None)):
        done = cosem("listen", "--json", source, stdin=stdin)
        assert (done.status, done.out) == (1, "")
        assert words in done.err
        assert "another protocol, not DLMS/COSEM" in done.err


# MQTT.


class Broker(threading.Thread):
    """As much of a broker as is needed: takes one client and keeps what it publishes."""

    def __init__(self, *, refuses: bool = False, acknowledges: bool = True) -> None:
        super().__init__(daemon=True)
        self.refuses = refuses
        self.acknowledges = acknowledges
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.published: list[tuple[str, bytes, bool]] = []
        self.connect = b""

    def run(self) -> None:
        connection, _ = self.server.accept()
        with suppress(ConnectionError), connection, connection.makefile("rb") as stream:
            while (head := stream.read(1)) and head[0] >> 4 != 14:
                body = stream.read(self.size(stream))
                kind = head[0] >> 4
                if kind == 1:
                    self.connect = body
                    connection.sendall(b"\x20\x02\x00" + (b"\x05" if self.refuses else b"\x00"))
                elif kind == 3:
                    (length,) = struct.unpack(">H", body[:2])
                    topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
                    if head[0] & 6:
                        if self.acknowledges:
                            connection.sendall(b"\x40\x02" + rest[:2])
                        rest = rest[2:]
                    self.published.append((topic, rest, bool(head[0] & 1)))
                elif kind == 12:
                    connection.sendall(b"\xd0\x00")

    @staticmethod
    def size(stream) -> int:
        size = shift = 0
        while True:
            octet = stream.read(1)[0]
            size |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return size


def test_values_and_announcements_go_to_a_broker(cosem):
    broker = Broker()
    broker.start()
    done = cosem(
        "listen",
        "--quiet",
        "--mqtt",
        f"mqtt://me:secret@127.0.0.1:{broker.port}/meters",
        "-",
        stdin=IDENTIFIED.octets,
    )
    broker.join(20)
    broker.server.close()
    assert (done.status, done.err) == (0, "")
    assert b"secret" in broker.connect
    topics = {
        topic: (json.loads(body), kept)
        for topic, body, kept in broker.published
        if not topic.endswith("status")
    }
    said, kept = topics["homeassistant/sensor/84895126/1-0_1_8_0/config"]
    assert kept
    assert said["device_class"] == "energy"
    assert said["state_class"] == "total_increasing"
    assert said["unit_of_measurement"] == "Wh"
    value, kept = topics[said["state_topic"]]
    assert (value["value"], value["unit"], kept) == (261927, "Wh", False)
    states = [body for topic, body, _ in broker.published if topic == "meters/status"]
    assert (states[0], states[-1]) == (b"online", b"offline")


def test_a_broker_that_is_not_there_is_told_once_and_is_a_failure(cosem):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mqtt://me:secret@127.0.0.1:{server.getsockname()[1]}"
    done = cosem("listen", "--quiet", "--mqtt", url, "-", stdin=IDENTIFIED.octets)
    assert done.status == 1
    assert done.err.count("cannot be reached; trying again") == 1
    assert re.search(r"error: the broker mqtt://127\.0\.0\.1:\d+: \d+ values not delivered$", done.err)
    assert "secret" not in done.err


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"refuses": True}, "refuses the connection (not authorized)"),
        ({"acknowledges": False}, "not delivered"),
    ],
    ids=["refuses", "does not acknowledge"],
)
def test_what_a_broker_does_not_take_is_a_failure(cosem, monkeypatch, behaviour, said):
    # However late the broker answers the connection, it is heard; what it does not acknowledge is not waited for.
    monkeypatch.setattr(home_assistant, "_PATIENCE", 0.2)
    broker = Broker(**behaviour)
    broker.start()
    url = f"mqtt://127.0.0.1:{broker.port}"
    done = cosem("listen", "--quiet", "--mqtt", url, "-", stdin=IDENTIFIED.octets)
    broker.server.close()
    assert done.status == 1
    assert said in done.err
    values = len(decode(IDENTIFIED.octets)[0].values)
    assert done.err.splitlines()[-1].endswith(f": {values} values not delivered")


@pytest.mark.parametrize(
    ("name", "device_class", "state_class", "unit"),
    [
        ("1-0:1.8.1", "energy", "total_increasing", "kWh"),
        ("1-0:1.7.0", "power", "measurement", "kW"),
        ("1-0:32.7.0", "voltage", "measurement", "V"),
        ("0-1:24.2.1", None, "total_increasing", "m³"),
        ("0-0:96.14.0", None, None, None),
    ],
)
def test_announcements_of_kinds_of_values(name, device_class, state_class, unit):
    (message,) = decode(vector("telegrams", "p1-dsmr5-isk").octets)
    said = announcement(message[name], message, "meter", "topic", "status")
    assert said.get("device_class") == device_class
    assert said.get("state_class") in {state_class, "measurement"}
    assert said.get("unit_of_measurement") == unit
    assert said["device"]["manufacturer"] == "Iskraemeco"


@pytest.mark.parametrize(
    ("source", "stdin", "status", "said"),
    [
        ("FILE", None, 1, "no message was found"),
        ("-", b"", 1, "no message was found"),
        ("-", b" \n", 1, "no message was found"),
        ("hex:", None, 2, "there are no octets after hex:"),
        ("hex:zz", None, 2, "no hexadecimal digit"),
        ("hex:00112233", None, 1, "no message was found"),
        ("", None, 2, "a source is wanted"),
        ("http://me:secret@meter/?key=secret", None, 2, "can be listened to"),
    ],
)
def test_exit_statuses_of_what_holds_no_message(cosem, tmp_path, source, stdin, status, said):
    (tmp_path / "empty").touch()
    done = cosem("listen", str(tmp_path / "empty") if source == "FILE" else source, stdin=stdin)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "secret" not in done.err


def test_a_very_long_source_is_not_repeated_whole(cosem):
    done = cosem("listen", "zq" * 50_000)
    assert done.status == 1
    assert len(done.err) < 1000
    assert done.err.startswith("cosem listen: error: zqzq")
    assert done.err.endswith("File name too long\n")


def test_settings_of_a_line_are_refused_for_what_is_none(cosem):
    for source in ("-", "/dev/stdin", "/dev/null", "hex:00"):
        done = cosem("listen", source, "--baud", "300", stdin=b"")
        assert done.status == 2
        assert "are for a serial port" in done.err


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "nonsense", "mqtt://x:y", "mqtt://[x"])
def test_a_broker_that_is_none_is_a_usage_error(cosem, url):
    assert cosem("listen", "--mqtt", url, "-", stdin=IDENTIFIED.octets).status == 2
