"""``cosem decode --file --keys``: what is ciphered in a recording is opened, and nothing shown of what failed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cosem.translate.redaction import redact
from cosem.transport.recording import Recording
from tests.cli.conftest import Done

Command = Callable[..., Done]
READ = ("read", "sim:", "0-0:96.1.0", "--client", "2", "--keys", "demo")
SERIAL = "10000001"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "meter.jsonl"


def recorded(cosem: Command, file: Path, *more: str) -> Recording:
    done = cosem(*READ, *more, "--record", str(file))
    assert done.status == 0, done.err
    return Recording.parse(file.read_text())


@pytest.mark.parametrize("more", [(), ("--dedicated-key",)], ids=["global", "dedicated"])
def test_what_is_ciphered_is_opened_with_keys(cosem: Command, file: Path, more: tuple[str, ...]) -> None:
    recorded(cosem, file, *more)
    sealed = cosem("decode", "--file", str(file))
    assert SERIAL not in sealed.out
    assert "checked" not in sealed.out
    opened = cosem("decode", "--file", str(file), "--keys", "demo")
    assert opened.status == 0
    assert SERIAL in opened.out
    assert "verified" in opened.out
    assert "unverifiable" not in opened.out
    trees = cosem("decode", "--file", str(file), "--keys", "demo", "-v").out
    assert "    verified\n    0  C4 01" in trees
    facts = cosem("decode", "--file", str(file), "--keys", "demo", "--json").json
    verdicts = {each.get("verification") for each in facts["messages"]}
    assert verdicts <= {"verified", None}
    assert sum(each.get("verification") == "verified" for each in facts["messages"]) >= 6


def test_of_what_failed_nothing_is_shown(cosem: Command, file: Path) -> None:
    recording = recorded(cosem, file)
    changed = [
        replace(entry, octets=entry.octets[:-1] + bytes((entry.octets[-1] ^ 1,)))
        if not entry.sent and entry.kind == "apdu" and entry.octets[0] in (0xCC, 0xDB)
        else entry
        for entry in recording.entries
    ]
    file.write_text(replace(recording, entries=tuple(changed)).to_text())
    for more in ((), ("-v",), ("--json",), ("--unverified",)):
        done = cosem("decode", "--file", str(file), "--keys", "demo", *more)
        assert done.status == 1
        assert "failed" in done.out
        assert SERIAL not in done.out
        assert SERIAL.encode().hex() not in done.out.lower()


def test_what_no_key_is_known_for_is_unverifiable(cosem: Command, file: Path, tmp_path: Path) -> None:
    recorded(cosem, file)
    keys = tmp_path / "keys.toml"
    assert cosem("keys", "new", str(keys), "--meter", "ABC0000000000001").status == 0, (
        "a file of another meter"
    )
    done = cosem("decode", "--file", str(file), "--keys", str(keys))
    assert done.status in (0, 1)
    assert SERIAL not in done.out
    assert "unverifiable" in done.out or "failed" in done.out


def test_a_redacted_recording_says_why_it_cannot_be_verified(cosem: Command, file: Path) -> None:
    shared = redact(recorded(cosem, file), secrets.token_bytes(32))
    file.write_text(shared.to_text())
    done = cosem("decode", "--file", str(file), "--keys", "demo")
    assert done.status == 0
    assert "failed" not in done.out
    assert "unverifiable" in done.out


def test_what_came_in_general_blocks_is_opened_at_the_last_of_them(cosem: Command, file: Path) -> None:
    done = cosem("demo", "--json", "--record", str(file))
    assert done.status == 0
    opened = cosem("decode", "--file", str(file), "--keys", "demo").out.splitlines()
    (line,) = [each for each in opened if "general-block-transfer: get-response-normal" in each]
    assert line.rstrip().endswith("verified")
    assert "array of 97" in line


def test_clear_recordings_are_as_without_keys(cosem: Command, file: Path) -> None:
    assert cosem("get", "sim:", "0-0:96.1.0", "--record", str(file)).status == 0
    assert (
        cosem("decode", "--file", str(file), "--keys", "demo").out == cosem("decode", "--file", str(file)).out
    )
