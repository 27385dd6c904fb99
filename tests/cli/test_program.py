"""``cosem program``: registers read and written as text."""

from __future__ import annotations

import os
import signal

import pytest

from cosem.cli.recording import read_recording
from cosem.link.iec62056_21.messages import data_message
from tests.client.test_programming import PASSWORD, Meter, behind_tcp


@pytest.fixture
def password(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return f"@{file}"


def test_registers_are_shown_in_a_table(cosem, password):
    meter = Meter()
    with behind_tcp(meter) as url:
        done = cosem(
            *("program", url, "--password", password, "--read", "1.8.0"),
            *("--write", "0.9.1(130000)", "--read", "0.9.1()"),
        )
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("ABc METER\n")
    for text in ("000123.456", "kWh", "130000", "written"):
        assert text in done.out
    assert meter.heard == ["051", f"P1 ({PASSWORD})", "R1 1.8.0()", "W1 0.9.1(130000)", "R1 0.9.1()", "B0"]


def test_registers_as_json_with_what_was_refused(cosem, password):
    meter = Meter()
    with behind_tcp(meter) as url:
        done = cosem(
            *("program", url, "--json", "--level", "2", "--password", password, "--formatted"),
            *("--read", "9.9.9", "--read", "1.8.0", "--write", "0.9.1(1)"),
        )
    assert done.status == 1
    assert done.json["refused"] == [{"address": "9.9.9", "error": "ER06"}]
    assert done.json["written"] == ["0.9.1"]
    assert done.json["values"][0]["values"] == [{"text": "000123.456", "value": 123.456, "unit": "kWh"}]
    assert meter.heard[1:] == [f"P2 ({PASSWORD})", "R2 9.9.9()", "R2 1.8.0()", "W2 0.9.1(1)", "B0"]


def test_a_wrong_password_is_one_line_and_is_not_shown(cosem, tmp_path):
    (tmp_path / "wrong").write_text("87654321")
    meter = Meter()
    with behind_tcp(meter) as url:
        done = cosem("program", url, "--password", f"@{tmp_path / 'wrong'}", "--read", "1.8.0")
    assert done.status == 1
    assert "P1: the password is refused: the meter says ER02" in done.err
    assert "87654321" not in done.err + done.out


def test_what_was_done_before_an_error_is_shown(cosem, password):
    class Odd(Meter):
        def answer(self, message: bytes) -> bytes:
            return data_message("") if message.startswith(b"\x01R1\x022.8.0") else super().answer(message)

    for words in ((), ("--json",)):
        with behind_tcp(Odd()) as url:
            done = cosem(
                *("program", url, "--password", password, *words, "--write", "0.9.1(1)", "--read", "1.8.0"),
                *("--read", "2.8.0", "--read", "0.9.1"),
            )
        assert done.status == 1
        assert "R1 2.8.0(): the answer '' holds no value" in done.err
        assert "000123.456" in done.out
        assert "written" in done.out
    assert done.json["written"] == ["0.9.1"]


def test_sigterm_ends_the_mode_and_what_was_done_is_shown(cosem, password):
    class Stopped(Meter):
        def answer(self, message: bytes) -> bytes:
            if message.startswith(b"\x01R1\x022.8.0"):
                self.heard.append("SIGTERM")
                os.kill(os.getpid(), signal.SIGTERM)
                return b""
            return super().answer(message)

    came = []
    former = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    meter = Stopped()
    try:
        with behind_tcp(meter) as url:
            done = cosem(
                *("program", url, "--password", password, "--write", "0.9.1(1)", "--read", "2.8.0"),
                *("--limit", "20"),
            )
    finally:
        handler = signal.signal(signal.SIGTERM, former)
    assert handler is not former  # what was there before is there again
    assert came == [signal.SIGTERM]
    assert done.status == 130
    assert meter.heard[-2:] == ["SIGTERM", "B0"]
    assert "written" in done.out


def test_what_is_recorded_has_no_password(cosem, password, tmp_path):
    file = tmp_path / "recording.jsonl"
    meter = Meter(echoes=True)
    with behind_tcp(meter) as url:
        done = cosem("program", url, "--password", password, "--read", "1.8.0", "--record", str(file))
    assert done.status == 0
    octets = b"".join(entry.octets for entry in read_recording(str(file)).entries)
    assert PASSWORD.encode() not in octets
    assert b"********" in octets
    assert b"000123.456*kWh" in octets
    assert PASSWORD.encode().hex().upper() not in file.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing is to be read or written"),
        (("--write", "0.9.1"), "--write takes ADDRESS(VALUE)"),
        (("--read", "1.8.0(", "--limit", "1"), "--read takes"),
        (("--password", "hex:FF", "--read", "1"), "seven bits"),
    ],
)
def test_wrong_usage_is_told(cosem, words, said):
    done = cosem("program", "tcp://127.0.0.1:1", *words)
    assert done.status == 2
    assert said in done.err
