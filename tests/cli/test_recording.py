"""``--record`` and ``cosem decode --file``: what a verb did can be looked at afterwards, and holds no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cosem.cli.recording_shown import message_in_words
from cosem.link.wrapper import wrap
from cosem.server import Server, demonstration_meter
from cosem.server.replay import ReplayDevice
from cosem.server.threads import serve_in_thread
from cosem.transport.recording import Recording
from tests.cli.conftest import Done

Command = Callable[..., Done]
PASSWORD = "12345678"


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    server = Server(demonstration_meter()).listen("tcp://127.0.0.1:0").listen("hdlc+tcp://127.0.0.1:0")
    with serve_in_thread(server):
        wrapper, hdlc = server.addresses
        yield {"wrapper": wrapper, "hdlc": hdlc}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "meter.jsonl"


@pytest.mark.parametrize("profile", ["wrapper", "hdlc"])
def test_a_verb_records_what_it_does(cosem: Command, urls: dict[str, str], file: Path, profile: str) -> None:
    done = cosem(
        "read", urls[profile], "0-0:96.1.0", "--client", "17", "--password", PASSWORD, "--record", str(file)
    )
    assert done.status == 0, done.err
    text = file.read_text()
    assert PASSWORD not in text
    assert PASSWORD.encode().hex() not in text.lower()
    recording = Recording.parse(text)
    assert recording.header.profile == profile
    assert (recording.header.client, recording.header.server) == (17, 1)
    assert recording.header.url == urls[profile]
    assert [entry.sent for entry in recording.apdus[:2]] == [True, False]
    assert recording.apdus[0].masked
    assert not recording.cut
    if profile == "wrapper":
        assert sorted(entry.octets[8:] for entry in recording.entries if entry.kind == "frame") == sorted(
            entry.octets for entry in recording.apdus
        )
    assert file.stat().st_mode & 0o077 == 0


def test_a_recording_is_explained(cosem: Command, urls: dict[str, str], file: Path) -> None:
    assert cosem("read", urls["hdlc"], "0-0:96.1.0", "--record", str(file)).status == 0
    done = cosem("decode", "--file", str(file))
    assert done.status == 0
    names = [line.split()[2] for line in done.out.splitlines()[4:]]
    assert names[:2] == ["AARQ", "AARE"]
    assert names[-1] == "RLRE"
    assert "0.0.96.1.0.255 2" in done.out
    trees = cosem("decode", "--file", str(file), "-v").out
    assert "mechanism-name" in trees or "application-context-name" in trees
    assert "HDLC" not in trees.partition("\n")[2]
    frames = cosem("decode", "--file", str(file), "-vv").out
    assert "HDLC SNRM" in frames
    assert "HDLC I N(S)=0 N(R)=0" in frames


def test_a_recording_is_explained_for_machines(cosem: Command, urls: dict[str, str], file: Path) -> None:
    assert cosem("get", urls["wrapper"], "0-0:96.1.0", "--record", str(file)).status == 0
    facts = cosem("decode", "--json", "--file", str(file)).json
    assert facts["profile"] == "wrapper"
    first, second, *_ = facts["messages"]
    assert (first["direction"], first["name"]) == ("sent", "AARQ")
    assert (second["direction"], second["name"]) == ("received", "AARE")
    assert all(message["apdu"] for message in facts["messages"])


def test_what_is_no_apdu_is_shown_as_it_is(cosem: Command, file: Path) -> None:
    lines = [
        {"cosem-recording": 1, "profile": "wrapper"},
        {"at": 0.0, "received": "apdu", "octets": "FFEE"},
        {"at": 0.1, "received": "frame", "octets": wrap(b"\xff\xee", 1, 16).hex()},
        {"at": 0.2, "received": "frame", "octets": "7E7E"},
        {"at": 0.3, "received": "octets", "octets": b"/CSM5\r\n".hex()},
    ]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = cosem("decode", "--file", str(file), "-vv")
    assert done.status == 0
    assert "not understood" in done.out
    assert "FF EE" in done.out
    assert "wrapper unit, 10 octets: from 1 to 16" in done.out
    assert "/CSM5" in done.out
    assert cosem("decode", "--file", str(file), "--json").status == 0


def test_a_cut_recording_is_explained_and_told(cosem: Command, urls: dict[str, str], file: Path) -> None:
    assert cosem("get", urls["wrapper"], "0-0:96.1.0", "--record", str(file)).status == 0
    file.write_text(file.read_text()[:-9])
    done = cosem("decode", "--file", str(file))
    assert done.status == 0
    assert done.err == f"{file}: the last line is cut off and left out\n"
    assert "AARQ" in done.out


@pytest.mark.parametrize("content", [b"", b"\n", b"rubbish\n", b"\xff\xfe\x00", b"{}\n", b"[1]\n" * 3])
def test_rubbish_is_one_line(cosem: Command, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    done = cosem("decode", "--file", str(file))
    assert done.status == 1
    assert done.err.startswith(f"cosem decode: error: {file}: ")
    assert done.err.count("\n") == 1


def test_a_file_excludes_octets_and_their_options(cosem: Command, file: Path) -> None:
    for words in (["C001"], ["--data"], ["--xml"], ["--strict"]):
        done = cosem("decode", "--file", str(file), *words)
        assert done.status == 2
        assert "--file explains a recording" in done.err


def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(
    cosem: Command, tmp_path: Path
) -> None:
    done = cosem("get", "sim:", "0-0:96.1.0", "--record", str(tmp_path / "no" / "where.jsonl"))
    assert done.status == 1
    assert "No such file" in done.err
    assert done.out == ""


def test_a_verb_that_connects_again_goes_on_with_its_recording(
    cosem: Command, urls: dict[str, str], file: Path
) -> None:
    file.write_text("what was there before\n")
    assert cosem("diff", urls["wrapper"], urls["wrapper"], "--record", str(file)).status in (0, 1)
    recording = Recording.parse(file.read_text())
    assert [entry.octets[0] for entry in recording.apdus].count(0x60) == 2
    times = [entry.at for entry in recording.entries]
    assert times == sorted(times)
    assert [header.profile for header in recording.headers] == ["wrapper", "wrapper"]
    assert cosem("diff", urls["wrapper"], urls["hdlc"], "--record", str(file)).status in (0, 1)
    recording = Recording.parse(file.read_text())
    assert [header.profile for header in recording.headers] == ["wrapper", "hdlc"]
    assert {entry.connection for entry in recording.apdus} == {0, 1}


# Played ------------------------------------------------------------------------------------------------------------


def played(file: Path, scheme: str = "tcp") -> tuple[Server, list[bytes]]:
    told: list[bytes] = []
    device = ReplayDevice(Recording.parse(file.read_text()), told.append)
    return Server(device).listen(f"{scheme}://127.0.0.1:0"), told


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("tcp", ("read", "0-0:96.1.0", "0-0:42.0.0")),
        ("tcp", ("read", "0-0:96.1.0", "--short-names")),
        ("tcp", ("get", "0-0:96.1.0")),
        ("tcp", ("objects",)),
        ("hdlc+tcp", ("read", "0-0:96.1.0", "0-0:42.0.0")),
        ("hdlc+tcp", ("get", "0-0:96.1.0")),
    ],
)
def test_a_recording_plays_its_meter(
    cosem: Command, urls: dict[str, str], file: Path, scheme: str, words: tuple[str, ...]
) -> None:
    verb, *rest = words
    login = ("--client", "17", "--password", PASSWORD, "--json")
    real = cosem(verb, urls["wrapper"], *rest, *login, "--record", str(file))
    assert real.status == 0, real.err
    server, told = played(file, scheme)
    with serve_in_thread(server) as url:
        again = cosem(verb, url, *rest, *login)
    assert again.status == 0, again.err
    assert again.json == real.json
    assert not told


def test_what_was_not_recorded_is_told(cosem: Command, urls: dict[str, str], file: Path) -> None:
    assert cosem("get", urls["wrapper"], "0-0:96.1.0", "--record", str(file)).status == 0
    server, told = played(file)
    with serve_in_thread(server) as url:
        done = cosem("get", url, "0-0:42.0.0")
    assert done.status == 1
    assert "object-unavailable" in done.err
    (request,) = told
    assert message_in_words(request).startswith("get-request-normal: 0.0.42.0.0.255 2")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["three-phase"], "not with METER"),
        (["--count", "2"], "not with METER"),
        ([], "no recording"),
    ],
)
def test_what_cannot_be_played_is_one_line(
    cosem: Command, file: Path, words: list[str], problem: str
) -> None:
    file.write_text("rubbish\n")
    done = cosem("serve", "--replay", str(file), *words)
    assert done.status in (1, 2)
    assert problem in done.err
    assert done.err.count("\n") == 1


# Redacted ----------------------------------------------------------------------------------------------------------

TELLING = ("0-0:96.1.0", "0-0:42.0.0", "1-0:1.8.0")


@pytest.mark.parametrize("profile", ["wrapper", "hdlc"])
@pytest.mark.parametrize("more", [(), ("--short-names",)])
def test_a_redacted_recording_holds_nothing_and_plays(
    cosem: Command, urls: dict[str, str], file: Path, profile: str, more: tuple[str, ...]
) -> None:
    real = cosem("read", urls[profile], *TELLING, *more, "--json", "--record", str(file))
    assert real.status == 0, real.err
    shared = file.with_name("shared.jsonl")
    done = cosem("redact", str(file), "-o", str(shared), "--json")
    assert done.json["apdus"] == len(Recording.parse(file.read_text()).apdus)
    text = shared.read_text().lower()
    values = [str(reading["value"]) for reading in real.json]
    for value in values[:2]:
        assert value.encode().hex() in file.read_text().lower()
        assert value.encode().hex() not in text
        assert value.lower() not in text
    assert "127.0.0.1" not in text
    server, told = played(shared, "tcp" if profile == "wrapper" else "hdlc+tcp")
    with serve_in_thread(server) as url:
        again = cosem("read", url, *TELLING, *more, "--json")
    assert again.status == 0, again.err
    assert not told
    assert [len(str(reading["value"])) for reading in again.json][:2] == [len(value) for value in values][:2]
    assert all(str(new["value"]) != old for new, old in zip(again.json, values, strict=True))


def test_a_ciphered_recording_keeps_its_envelopes_only(cosem: Command, file: Path) -> None:
    assert (
        cosem("read", "sim:", "0-0:96.1.0", "--client", "2", "--keys", "demo", "--record", str(file)).status
        == 0
    )
    before = Recording.parse(file.read_text())
    shared = file.with_name("shared.jsonl")
    assert cosem("redact", str(file), "-o", str(shared)).status == 0
    after = Recording.parse(shared.read_text())
    ciphered = [entry for entry in before.apdus if entry.octets[0] in (0xC8, 0xCB, 0xCC, 0xCF, 0xDB, 0xDD)]
    assert ciphered
    for entry in ciphered:
        assert entry.octets[-20:].hex().upper() not in shared.read_text()
    assert [len(entry.octets) for entry in before.apdus] == [len(entry.octets) for entry in after.apdus]
    assert cosem("decode", "--file", str(shared)).status == 0


def test_redaction_to_standard_output(cosem: Command, urls: dict[str, str], file: Path) -> None:
    assert cosem("get", urls["wrapper"], "1-0:1.8.0", "--record", str(file)).status == 0
    kept = Recording.parse(cosem("redact", str(file), "-o", "-", "--keep-values").out)
    assert [entry.octets for entry in kept.apdus] == [
        entry.octets for entry in Recording.parse(file.read_text()).apdus
    ]
    lost = Recording.parse(cosem("redact", str(file), "-o", "-").out)
    assert lost.apdus != kept.apdus


@pytest.mark.parametrize("words", [(), ("-o", "-", "--json")])
def test_wrong_usage_of_redact_is_one_line(cosem: Command, file: Path, words: tuple[str, ...]) -> None:
    done = cosem("redact", str(file), *words)
    assert done.status == 2
    assert done.err.count("\n") == 1


def test_a_recording_is_not_overwritten(cosem: Command, file: Path) -> None:
    file.write_text("rubbish\n")
    done = cosem("redact", str(file), "-o", str(file))
    assert done.status == 2
    assert file.read_text() == "rubbish\n"
    assert cosem("redact", str(file), "-o", str(file.with_name("other"))).status == 1
