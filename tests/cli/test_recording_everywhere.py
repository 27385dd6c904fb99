"""``--record`` of the verbs that are met, or that try or listen: what both sides said, and no secret."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cosem.cli.recording import RecordingFile
from cosem.cli.recording_served import record_server
from cosem.cli.verbs import VERBS
from cosem.connecting import connect
from cosem.link.wrapper import wrap
from cosem.server import Server, demonstration_meter
from cosem.server.simulation.faults import Faults
from cosem.server.simulation.many import ManyMeters, listen_with_faults
from cosem.server.threads import serve_in_thread
from cosem.transport.recording import Recording
from tests.cli.conftest import Done

Command = Callable[..., Done]
PASSWORD = "12345678"
PUSH = "0F00000001000101020309060100010700FF060000011802020F00161B"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "meter.jsonl"


def read(file: Path) -> Recording:
    text = file.read_text()
    assert PASSWORD.encode().hex() not in text.lower()
    recording = Recording.parse(text)
    assert not recording.cut
    return recording


def test_a_server_records_its_clients_one_by_one(cosem: Command, file: Path) -> None:
    server = Server(demonstration_meter()).listen("tcp://127.0.0.1:0").listen("hdlc+tcp://127.0.0.1:0")
    with closing(RecordingFile(str(file))) as kept:
        record_server(server, kept)
        with serve_in_thread(server):
            wrapper, hdlc = server.addresses
            with (
                connect(hdlc, client=17, password=PASSWORD) as one,
                connect(wrapper, client=1, password="87654321") as other,
            ):
                for meter in (one, other, one):
                    meter.get("0-0:96.1.0")

    found = read(file)
    assert [(each.profile, each.client, each.server) for each in found.headers] == [
        ("hdlc", 17, 1),
        ("wrapper", 1, 1),
    ]
    assert all(entry.octets != b"87654321" for entry in found.entries)
    assert b"87654321".hex() not in file.read_text().lower()
    for number in (0, 1):
        apdus = [entry for entry in found.apdus if entry.connection == number]
        assert [entry.sent for entry in apdus[:4]] == [True, False, True, False]
        assert [entry.octets[0] for entry in apdus[-2:]] == [0x62, 0x63]
        assert apdus[0].masked
    frames = [entry.octets for entry in found.entries if entry.kind == "frame" and entry.connection == 1]
    assert frames == [wrap(each.octets, 1, 1) for each in found.apdus if each.connection == 1]
    assert cosem("decode", "--file", str(file)).out.startswith("0: a meter, hdlc, client 17")
    facts = cosem("decode", "--file", str(file), "--json").json
    assert [each["profile"] for each in facts["connections"]] == ["hdlc", "wrapper"]
    assert {each["connection"] for each in facts["messages"]} == {0, 1}


def test_what_a_faulty_meter_sends_is_recorded_as_it_goes_out(file: Path) -> None:
    server = listen_with_faults(Server(demonstration_meter()), "tcp://127.0.0.1:0", Faults(duplicate=1))
    with closing(RecordingFile(str(file))) as kept:
        record_server(server, kept)
        with serve_in_thread(server) as url, connect(url):
            pass
    frames = [entry for entry in read(file).entries if entry.kind == "frame" and not entry.sent]
    # The second stands for no APDU, and nobody knows what it holds.
    assert [len(each.octets) for each in frames[::2]] == [len(each.octets) for each in frames[1::2]]
    assert [bool(each.masked) for each in frames[:2]] == [False, True]


def test_many_meters_are_recorded_at_their_ports(file: Path) -> None:
    server = ManyMeters(lambda number, _sap: demonstration_meter(seed=number + 1), 2).listen_at_ports()
    with closing(RecordingFile(str(file))) as kept:
        record_server(server, kept)
        with serve_in_thread(server):
            for url in server.addresses:
                with connect(url) as meter:
                    meter.get("0-0:96.1.0")
    gc.collect()
    found = read(file)
    assert len(found.headers) == 2
    assert {entry.connection for entry in found.apdus} == {0, 1}


def test_a_probe_records_every_connection_that_it_tries(cosem: Command, file: Path) -> None:
    server = Server(demonstration_meter()).listen("hdlc+tcp://127.0.0.1:0")
    with serve_in_thread(server) as url:
        assert cosem("probe", url, "--record", str(file)).status == 0
    found = read(file)
    assert {each.profile for each in found.headers} == {"hdlc"}
    assert len(found.headers) > 1
    assert [entry.octets[0] for entry in found.apdus][:2] == [0x60, 0x61]
    assert all(not entry.masked for entry in found.entries)


def test_the_demonstration_can_be_recorded(cosem: Command, file: Path) -> None:
    assert cosem("demo", "--json", "--record", str(file)).status == 0
    assert read(file).header.client == 2


@pytest.mark.parametrize(
    ("octets", "profile"),
    [(PUSH, "wrapper"), (wrap(bytes.fromhex(PUSH), 1, 16).hex(), "wrapper")],
)
def test_what_is_pushed_is_recorded(cosem: Command, file: Path, octets: str, profile: str) -> None:
    assert cosem("listen", f"hex:{octets}", "--record", str(file), "--quiet").status == 0
    found = read(file)
    assert found.header.profile == profile
    assert found.header.url == ""
    assert [entry.octets.hex().upper() for entry in found.apdus] == [PUSH]
    assert not any(entry.sent for entry in found.entries)
    assert [each.octets.hex() for each in found.entries if each.kind == "frame"] == (
        [octets] if octets != PUSH else []
    )
    assert "data-notification" in cosem("decode", "--file", str(file)).out


def test_a_pushed_telegram_is_recorded_as_its_text(cosem: Command, tmp_path: Path, file: Path) -> None:
    telegram = "/ABC5meter\r\n\r\n1-0:1.8.0(000123.456*kWh)\r\n!\r\n"
    source = tmp_path / "telegram.txt"
    source.write_bytes(telegram.encode())
    assert cosem("listen", str(source), "--record", str(file), "--quiet").status == 0
    (entry,) = read(file).entries
    assert (entry.kind, entry.octets.startswith(b"/ABC5"), entry.masked) == ("octets", True, ())


@pytest.mark.parametrize("words", [("demo",), ("probe", "sim:"), ("listen", "hex:0F"), ("serve",)])
def test_a_file_that_cannot_be_written_is_one_line(
    cosem: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = cosem(*words, "--record", str(tmp_path / "no" / "where.jsonl"))
    assert done.status == 1
    assert "No such file" in done.err
    assert done.err.count("\n") == 1


def test_what_is_sniffed_is_recorded(cosem: Command, file: Path) -> None:
    request = "C001C100080000010000FF0200"
    assert cosem("sniff", PUSH, "--record", str(file)).status == 0
    assert [entry.octets.hex().upper() for entry in read(file).apdus] == [PUSH]
    assert cosem("sniff", wrap(bytes.fromhex(request), 16, 1).hex(), "--record", str(file)).status == 0
    assert [(entry.sent, entry.octets.hex().upper()) for entry in read(file).apdus] == [(True, request)]


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"classes", "decode", "redact", "keys", "security"}))
def test_every_verb_that_talks_records(cosem: Command, verb: str) -> None:
    assert "--record FILE" in cosem(verb, "--help").out


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "rotate"),
        *(("security", action) for action in ("show", "policy", "request", "import", "export", "remove")),
    ],
    ids=" ".join,
)
def test_every_action_that_talks_records(cosem: Command, words: tuple[str, str]) -> None:
    assert "--record FILE" in cosem(*words, "--help").out
