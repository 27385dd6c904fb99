"""``cosem decode``: hexadecimal text in any dress, files, standard input, and rubbish."""

from __future__ import annotations

import random
import re
import sys
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from cosem.cli import main
from cosem.cli.octets import parse_hexadecimal
from cosem.errors import ConfigurationError
from tests.vectors import load

REQUEST = "C0 01 C1 00 08 00 00 01 00 00 FF 02 00"
UNIT = "0001 0010 0001 000D " + REQUEST


def test_a_request_is_explained_octet_by_octet(cosem):
    done = cosem("decode", REQUEST)
    assert (done.status, done.err) == (0, "")
    assert "C0 01                                    get-request-normal" in done.out
    assert "class-id = 8  (Clock)" in done.out
    assert "    3  00 08 " in done.out


@pytest.mark.parametrize(
    "text",
    [
        "C0:01:C1:00:08:00:00:01:00:00:FF:02:00",
        "c001c10008 0000010000ff0200",
        "0xC0, 0x01, 0xC1, 0x00, 0x08, 0x00, 0x00, 0x01, 0x00, 0x00, 0xFF, 0x02, 0x00",
        r"\xC0\x01\xC1\x00\x08\x00\x00\x01\x00\x00\xFF\x02\x00",
        "[C0-01-C1-00-08] | {00 00 01 00 00 FF}; '02' \"00\"",
        "C001C100\n0800\r\n00010000FF\t0200",
    ],
)
def test_separators_count_for_nothing(cosem, text):
    assert cosem("decode", text).out == cosem("decode", REQUEST).out


def test_words_are_one_message(cosem):
    assert cosem("decode", *REQUEST.split()).out == cosem("decode", REQUEST).out


@pytest.mark.parametrize(
    "content", [REQUEST.encode(), bytes.fromhex(REQUEST), b"\xef\xbb\xbf" + REQUEST.encode()]
)
def test_a_file_and_standard_input_hold_text_or_octets(cosem, tmp_path, content):
    path = tmp_path / "message"
    path.write_bytes(content)
    expected = cosem("decode", REQUEST).out
    assert cosem("decode", f"@{path}").out == expected
    assert cosem("decode", "-", stdin=content).out == expected
    assert cosem("decode", stdin=content).out == expected


def test_json_holds_octets_apdu_findings_and_tree(cosem):
    done = cosem("decode", "--json", REQUEST)
    assert done.json["octets"] == REQUEST.replace(" ", "")
    assert done.json["apdu"]["get-request-normal"]["cosem-attribute-descriptor"]["class-id"] == 8
    assert done.json["findings"] == []
    assert done.json["verification"] is None
    assert done.json["tree"]["name"] == "get-request-normal"


def test_a_ciphered_apdu_is_an_envelope_that_nobody_verified(cosem):
    done = cosem("decode", "--json", "C8 1E 30 01234567 411312FF935A47566827C467BC 7D825C3BE4A77C3FCC056B6B")
    assert done.status == 0
    assert done.json["verification"] == "unverifiable"
    assert done.json["plain"] is None


def test_xml_is_the_published_schema(cosem):
    done = cosem("decode", "--xml", "0E 01 06 03")
    assert done.status == 0
    assert "<initiate>pdu-size-too-short</initiate>" in done.out
    data = cosem("decode", "--xml", "--data", "02 02 0F FF 16 1E")
    assert "<integer>-1</integer>" in data.out


def test_data_alone(cosem):
    assert "1: enum = 30" in cosem("decode", "--data", "02 02 0F FF 16 1E").out
    done = cosem("decode", "--data", "--json", "02 02 0F FF 16 1E")
    assert done.json["data"] == {"structure": [{"integer": -1}, {"enum": 30}]}


def test_several_units_of_the_wrapper_are_explained_one_after_the_other(cosem):
    done = cosem("decode", UNIT, UNIT)
    assert done.out.count("wrapper\n") == 2
    assert len(cosem("decode", "--json", UNIT, UNIT, UNIT).json) == 3
    assert cosem("decode", "--json", UNIT).json["tree"]["name"] == "wrapper"


def test_findings_are_named_and_refused_when_strict(cosem):
    octets = "C4 01 81 00 12 00 01 FF"  # an octet too many
    tolerant = cosem("decode", octets)
    assert tolerant.status == 0
    assert "finding: " in tolerant.out
    strict = cosem("decode", "--strict", octets)
    assert (strict.status, strict.out) == (1, "")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["xyz"], 2, "'x' at position 0 is no hexadecimal digit"),
        (["C0 0"], 2, "one is missing or too many"),
        ([""], 2, "there are no octets"),
        (["@/nowhere/at/all"], 1, "/nowhere/at/all: No such file or directory"),
        (["@/"], 1, "/: Is a directory"),
        (["7EA0"], 1, "HDLC frame"),
        (["68 10"], 1, "M-Bus"),
        (["FF"], 1, "unknown APDU FF at offset 0"),
        (["C0 01"], 1, "offset 2"),
        (["0001 0010 0001 0020 C0"], 1, "the wrapper announces 32 octets, 1 follow"),
        (["0001"], 1, "a wrapper header has 8 octets"),
        (["--data", "FE"], 1, "offset 0"),
        (["--data", "01 84 FF FF FF FF"], 1, "offset"),
        (["--xml", "--json", "00"], 2, "exclude each other"),
        (["--xml", "--strict", "C7 01 C1 63 00"], 1, ""),
        (["٣٣"], 2, "is no hexadecimal digit"),
        (["\udc80\udc80"], 2, "is no hexadecimal digit"),
    ],
)
def test_rubbish_is_one_line(cosem, words, status, said):
    done = cosem("decode", *words)
    assert done.status == status
    assert done.out == ""
    assert done.err.startswith("cosem decode: error: ")
    assert done.err.count("\n") == 1
    assert said in done.err


@pytest.mark.parametrize(("content", "status"), [(b"", 1), (b" \n", 1), (b"not hexadecimal", 2)])
def test_rubbish_on_standard_input_is_wrong_usage_and_nothing_is_a_failure(cosem, content, status):
    done = cosem("decode", "-", stdin=content)
    assert done.status == status
    assert "standard input" in done.err


def test_standard_input_that_is_closed(cosem, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert cosem("decode").status == 2
    assert cosem("decode", "-").status == 2


def test_more_than_a_message_is_refused(cosem, tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(20_000_000)
    done = cosem("decode", f"@{path}")
    assert done.status == 2
    assert "this is no message" in done.err


VECTORS = [each for name in ("acse", "xdlms") for each in load(name) if each.octets]


@pytest.mark.parametrize("form", ["", "--json", "--xml"])
def test_every_vector_is_shown_or_refused_in_one_line(cosem, form):
    shown = 0
    for each in VECTORS:
        done = cosem("decode", *filter(None, [form]), each.octets.hex())
        if done.status == 0:
            assert done.err == ""
            assert done.out
            shown += 1
        else:
            assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert shown > len(VECTORS) // 2


def test_no_change_of_a_vector_makes_a_traceback(capsys):
    chance = random.Random(1)
    for each in VECTORS[::7]:
        octets = bytearray(each.octets)
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        assert main(["decode", octets.hex()]) in (0, 1)
        assert "internal error" not in capsys.readouterr().err


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(octets=strategies.binary(min_size=1, max_size=40))
def test_any_octets_end_in_a_status(capsys, octets):
    for words in (["decode"], ["decode", "--data"], ["decode", "--json"]):
        assert main([*words, octets.hex()]) in (0, 1)
        assert "internal error" not in capsys.readouterr().err


@given(
    octets=strategies.binary(min_size=1, max_size=20),
    separator=strategies.sampled_from([" ", ",", ":", ", 0x", "-", "\n", r"\x", ""]),
    upper=strategies.booleans(),
)
def test_hexadecimal_text_comes_back(octets, separator, upper):
    text = separator.join(f"{octet:02x}" for octet in octets)
    if upper:
        text = re.sub("[a-f]", lambda found: found[0].upper(), text)
    assert parse_hexadecimal(text) == octets


@given(text=strategies.text(max_size=20))
def test_any_text_is_octets_or_wrong_usage(text):
    with suppress(ConfigurationError):
        assert isinstance(parse_hexadecimal(text), bytes)
