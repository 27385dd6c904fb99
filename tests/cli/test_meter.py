"""The verbs that talk to a meter, against the demonstration meter."""

from __future__ import annotations

import csv
import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest

from cosem.cli.verbs import VERBS
from cosem.cli.verbs.objects import access_text
from cosem.connecting import connect
from cosem.server import demonstration_meter, serve_in_thread

MANAGEMENT = ("--client", "1", "--password", "87654321")
PROFILE = "1-0:99.1.0"
NOON = datetime(2026, 11, 25, 12, 7, tzinfo=UTC)
"""The meter's clock stands still, so that nothing is captured between two commands."""


@pytest.fixture(scope="module")
def url():
    with serve_in_thread(demonstration_meter(clock=lambda: NOON)) as address:
        yield address


def examples() -> list[str]:
    return [
        command
        for verb in VERBS
        for command, _ in import_module(f"cosem.cli.verbs.{verb}").EXAMPLES
        if "10.0.0.7" not in command
        and "serve" not in command
        and "/dev/" not in command
        and "@" not in command
        and ".jsonl" not in command
    ]


@pytest.mark.parametrize("command", examples())
def test_examples_of_the_help_run_as_they_stand(cosem, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    done = cosem(*words)
    assert (done.status, done.err) == (0, "")
    assert done.out
    if "--json" in words:
        assert done.json


def test_every_verb_has_an_example_that_can_be_run():
    verbs = {shlex.split(command)[1] for command in examples()}
    assert verbs == set(VERBS) - {"serve", "redact", "readout", "program"}


def test_read_gives_values_with_units(cosem, url):
    done = cosem("read", url, "1-0:1.8.0", "1-0:32.7.0", "0-0:1.0.0", "0-0:42.0.0", "--json")
    assert (done.status, done.err) == (0, "")
    energy, voltage, clock, name = done.json
    assert energy == {
        "obis": "1.0.1.8.0.255",
        "name": "Active energy import (+A), total",
        "class_id": 3,
        "attribute": 2,
        "value": energy["raw"],
        "unit": "Wh",
        "raw": energy["raw"],
        "type": "double-long-unsigned",
    }
    assert voltage["value"] == pytest.approx(voltage["raw"] / 10)
    assert voltage["unit"] == "V"
    assert datetime.fromisoformat(clock["value"]).tzinfo is not None
    assert clock["unit"] == ""
    assert name["value"].startswith("COS")
    assert bytes.fromhex(name["raw"]).decode() == name["value"]


def test_decimals_keep_every_digit(cosem, url):
    done = cosem("read", url, "1-0:14.7.0", "--json")
    assert re.search(r'"value": (49|50)\.\d\d,', done.out)


def test_a_refused_object_is_an_entry_with_an_error_and_the_others_are_there(cosem, url):
    done = cosem("read", url, "1-0:1.8.0", "1-0:9.9.9", "--json")
    assert done.status == 1
    good, bad = done.json
    assert good["unit"] == "Wh"
    assert bad["obis"] == "1.0.9.9.9.255"
    assert "object-undefined" in bad["error"]
    assert "value" not in bad
    assert done.err.count("\n") == 1
    assert "object-undefined" in done.err


def test_read_for_people_is_a_table(cosem, url):
    done = cosem("read", url, "1-0:1.8.0", "1-0:9.9.9", "1-0:9.9.8")
    lines = done.out.splitlines()
    assert lines[0].split() == ["OBIS", "name", "value", "unit"]
    assert lines[2].endswith("  Wh")
    assert lines[3].split()[-1] == "refused"
    assert "2 of 3 refused" in done.err


def test_long_lists_are_counted_for_people_and_whole_in_json(cosem, url):
    names = ("1-0:99.1.0", "0-0:40.0.0")
    profile, association = cosem("read", url, *names).out.splitlines()[2:]
    assert re.search(r"  [0-9,]{3,} rows: cosem profile$", profile)
    assert re.search(r"  \d+ objects: cosem objects$", association)
    rows, objects = (reading["value"] for reading in cosem("read", url, *names, "--json").json)
    assert f" {len(rows):,} rows" in profile
    assert f" {len(objects)} objects" in association


def test_reading_with_another_client_and_password(cosem, url, monkeypatch, tmp_path):
    assert cosem("read", url, "1-0:1.8.0", "--client", "17", "--password", "12345678").status == 0
    path = tmp_path / "password"
    path.write_text("12345678\n")
    assert cosem("read", f"{url}?client=17", "1-0:1.8.0", "--password", f"@{path}").status == 0
    monkeypatch.setenv("COSEM_PASSWORD", "12345678")
    assert cosem("read", url, "1-0:1.8.0", "--client", "17").status == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--client", "17"),
        ("--client", "17", "--password", "secret-word"),
        ("--client", "99"),
        ("--server", "77"),
    ],
)
def test_an_association_that_is_refused_says_why(cosem, url, words):
    done = cosem("read", url, "1-0:1.8.0", *words, "--timeout", "5")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "secret-word" not in done.err


def test_apdus_are_shown_without_the_password(cosem, url):
    done = cosem("read", url, "1-0:1.8.0", "--client", "17", "--password", "12345678", "-v")
    assert done.status == 0
    assert "> AARQ" in done.err
    assert "> access-request" in done.err
    assert b"12345678".hex(" ") not in done.err
    assert b"12345678".hex() not in done.err.replace(" ", "")
    explained = cosem("read", url, "1-0:1.8.0", "--client", "17", "--password", "12345678", "-vv")
    assert "cosem-attribute-descriptor" in explained.err
    assert "12345678" not in explained.err
    assert explained.out.splitlines()[0] == done.out.splitlines()[0]


def test_get_shows_types(cosem, url):
    assert cosem("get", url, "1-0:1.8.0.scaler_unit").out == (
        "structure of 2\n  0: integer = 0\n  1: enum = 30\n"
    )
    done = cosem("get", url, "1-0:1.8.0:3", "0-0:1.0.0.time_zone", "--json")
    assert done.json[0]["data"] == {"structure": [{"integer": 0}, {"enum": 30}]}
    assert done.json[0]["value"] == [0, 30]
    assert done.json[1]["attribute"] == 3
    both = cosem("get", url, "1-0:1.8.0:3", "0-0:1.0.0:3").out
    assert both.startswith("1-0:1.8.0 attribute 3: structure of 2\n")
    assert "0-0:1.0.0 attribute 3: long = " in both


def test_get_of_what_is_not_there(cosem, url):
    done = cosem("get", url, "1-0:1.8.0:99")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    several = cosem("get", url, "1-0:1.8.0:99", "1-0:1.8.0")
    assert several.status == 1
    assert several.out.startswith("1-0:1.8.0 attribute 99: refused\n")
    named = cosem("get", url, "1-0:1.8.0.colour")
    assert (named.status, named.out) == (1, "")
    assert "colour" in named.err
    as_json = cosem("get", url, "1-0:1.8.0:99", "--json")
    assert as_json.status == 1
    assert "error" in as_json.json[0]


def test_class_can_be_said(cosem, url):
    assert cosem("get", url, "1-0:1.8.0", "--class", "3").status == 0
    wrong = cosem("get", url, "1-0:1.8.0", "--class", "8")
    assert (wrong.status, wrong.err.count("\n")) == (1, 1)


def test_a_moment_is_told_in_the_form_in_which_it_was_written(cosem):
    octets = "07E80301050C0000000000FF"
    done = cosem(
        "set", "sim:", "0-0:1.0.0", "daylight_savings_begin", f"date-time:{octets}", "--json", *MANAGEMENT
    )
    assert (done.status, done.json["data"]) == (0, {"octet-string": octets})


def test_set_writes_with_the_type_of_the_present_value(cosem, url):
    before = cosem("get", url, "0-0:1.0.0.time_zone").out
    done = cosem("set", url, "0-0:1.0.0", "time_zone", "-120", *MANAGEMENT)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"0-0:1.0.0 time_zone: long = -120 (was {before.strip()})\n"
    assert cosem("get", url, "0-0:1.0.0:3").out == "long = -120\n"
    back = cosem("set", url, "0-0:1.0.0", "3", "long:-60", "--json", *MANAGEMENT)
    assert back.json["data"] == {"long": -60}
    assert cosem("get", url, "0-0:1.0.0:3").out == "long = -60\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("0-0:1.0.0", "time_zone", "sixty"), 2),
        (("0-0:1.0.0", "time_zone", "99999"), 2),
        (("0-0:1.0.0", "time_zone", "unsigned:300"), 2),
        (("0-0:1.0.0", "time_zone", "unsigned:1"), 1),
        (("0-0:1.0.0", "time_zone", "@/nowhere"), 1),
        (("0-0:1.0.0", "no such", "1"), 2),
        (("0-0:1.0.0", "colour", "1"), 1),
        (("1-0:9.9.9", "2", "1"), 1),
        (("1-0:1.8.0", "2", "double-long-unsigned:1"), 1),
    ],
)
def test_set_of_what_cannot_be(cosem, url, words, status):
    done = cosem("set", url, *words, *MANAGEMENT)
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)


def test_the_public_client_may_not_write(cosem, url):
    done = cosem("set", url, "0-0:1.0.0", "time_zone", "long:0")
    assert done.status == 1
    assert "read-write-denied" in done.err
    called = cosem("call", url, "0-0:96.3.10", "1")
    assert called.status == 1
    assert "Likely" in called.err


def test_call_runs_a_method(cosem, url):
    done = cosem("call", url, "0-0:96.3.10", "remote_disconnect", *MANAGEMENT)
    assert (done.status, done.out, done.err) == (0, "done\n", "")
    assert cosem("get", url, "0-0:96.3.10:2").out == "boolean = false\n"
    back = cosem("call", url, "0-0:96.3.10", "2", "--json", *MANAGEMENT)
    assert back.json["obis"] == "0.0.96.3.10.255"
    assert back.json["data"] == {"null-data": None}


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("0-0:1.0.0", "shift_time", "soon"), 1),
        (("0-0:1.0.0", "shift_time", "long:99999"), 2),
        (("0-0:1.0.0", "fly"), 1),
        (("1-0:9.9.9", "1"), 1),
        (("0-0:96.3.10", "99"), 1),
    ],
)
def test_call_of_what_cannot_be(cosem, url, words, status):
    done = cosem("call", url, *words, *MANAGEMENT)
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)


def test_a_method_that_needs_a_parameter_says_so(cosem, url):
    done = cosem("call", url, "0-0:1.0.0", "shift_time", *MANAGEMENT)
    assert (done.status, done.out) == (1, "")
    assert done.err == "cosem call: error: shift_time: a parameter is needed, long\n"
    assert "that the present value has" not in cosem("call", "--help").out


def test_a_method_that_is_not_there_is_called_a_method(cosem, url):
    assert "no such object or method" in cosem("call", url, "0-0:96.3.10", "99", *MANAGEMENT).err


def test_objects_of_a_class_are_a_filter_that_may_leave_none(cosem, url):
    assert "only the objects of this class_id" in cosem("objects", "--help").out
    done = cosem("objects", url, "--class", "99")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("no objects of class 99; ")
    assert cosem("objects", url, "--class", "99", "--json").json == []


def test_objects_are_named_with_their_rights(cosem, url):
    done = cosem("objects", url, "--json")
    with connect(url) as meter:
        assert len(done.json) == len(meter.objects())
    clock = next(entry for entry in done.json if entry["class_id"] == 8)
    assert clock["obis"] == "0.0.1.0.0.255"
    assert clock["class"] == "Clock"
    assert clock["attributes"]["2"] == "read"
    registers = cosem("objects", url, "--class", "3")
    assert "1-0:1.8.0" in registers.out
    assert "0-0:1.0.0" not in registers.out
    managed = cosem("objects", url, "--class", "8", *MANAGEMENT)
    assert "rw" in managed.out
    assert "call 1" in managed.out


def test_access_in_short():
    assert access_text(
        {1: "read", 2: "authenticated read write", 3: "write"}, {1: "call", 2: "call signed-request"}
    ) == ("r 1, rw* 2, w 3, call 1, call* 2")
    assert access_text({}, {}) == ""


def test_every_attribute_of_every_object_can_be_shown(cosem, url):
    entries = cosem("objects", url, "--json", *MANAGEMENT).json
    names = [entry["obis"] for entry in entries]
    for form in ([], ["--json"]):
        assert cosem("read", url, *names, *form, *MANAGEMENT).status == 0
    targets = [
        f"{entry['obis']}:{number}" for entry in entries for number in entry["attributes"] if number != "2"
    ]
    for form in ([], ["--json"]):
        done = cosem("get", url, *targets, *form, *MANAGEMENT)
        assert done.out
        assert done.status in (0, 1)  # some may be refused, each with its reason
    shown = {(entry["obis"], entry["attribute"]) for entry in done.json if "error" not in entry}
    assert len(shown) > 0.9 * len(targets)


def test_profile_by_entry_by_time_and_whole(cosem, url):
    four = cosem("profile", url, PROFILE, "--entries", "1:4", "--json")
    assert len(four.json["rows"]) == 4
    assert four.json["capture_period"] == 900
    assert four.json["columns"][2]["unit"] == "Wh"
    newest = cosem("profile", url, PROFILE, "--entries", "2", "--json").json["rows"]
    last = cosem("profile", url, PROFILE, "--last", "6h", "--json").json["rows"]
    assert len(last) == 24
    assert newest[-1] == last[-1]
    since = datetime.fromisoformat(last[0]["0-0:1.0.0"])
    until = since + timedelta(hours=1)
    hour = cosem(
        "profile", url, PROFILE, "--since", since.isoformat(), "--until", until.isoformat(), "--json"
    ).json
    assert hour["rows"] == last[:5]
    billing = cosem("profile", url, "0-0:98.1.0", "--json").json
    assert len(billing["rows"]) > 10


def test_profile_for_people_and_as_csv(cosem, url):
    table = cosem("profile", url, PROFILE, "--entries", "1:3").out.splitlines()
    assert table[0].startswith("time UTC")
    assert "1-0:1.8.0 Wh" in table[0]
    assert len(table) == 5
    rows = list(csv.reader(cosem("profile", url, PROFILE, "--entries", "1:3", "--csv").out.splitlines()))
    assert rows[0][2] == "1-0:1.8.0 [Wh]"
    assert len(rows) == 4


def test_profile_into_files(cosem, url, tmp_path):
    done = cosem("profile", url, PROFILE, "--last", "1d", "-o", str(tmp_path / "day.csv"))
    assert done.status == 0
    count = int(done.out.split()[0])
    assert 95 <= count <= 97
    assert done.out.endswith(f"rows written to {tmp_path / 'day.csv'}\n")
    assert len((tmp_path / "day.csv").read_text().splitlines()) == count + 1
    cosem("profile", url, PROFILE, "--entries", "1:1", "-o", str(tmp_path / "one.json"))
    assert len(json.loads((tmp_path / "one.json").read_text())["rows"]) == 1
    lines = tmp_path / "two.jsonl"
    assert cosem("profile", url, PROFILE, "--entries", "1:2", "-o", str(lines)).status == 0
    rows = cosem("profile", url, PROFILE, "--entries", "1:2", "--json").json["rows"]
    assert [json.loads(line) for line in lines.read_text().splitlines()] == rows
    missing = cosem("profile", url, PROFILE, "--entries", "1:1", "-o", str(tmp_path / "no" / "x.csv"))
    assert (missing.status, missing.out, missing.err.count("\n")) == (1, "", 1)


def test_profile_without_rows(cosem, url):
    assert cosem("profile", url, PROFILE, "--since", "2001-01-01", "--until", "2001-01-02").out == "no rows\n"
    assert cosem("profile", url, PROFILE, "--until", "2001-01-02", "--json").json["rows"] == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--last", "soon"), 2),
        (("--last", "0d"), 2),
        (("--since", "yesterday"), 2),
        (("--entries", "a:b"), 2),
        (("--entries", "5:1"), 2),
        (("--entries", "0"), 2),
        (("--last", "1d", "--entries", "1:2"), 2),
        (("--last", "1d", "--since", "2026-01-01"), 2),
        (("-o", "week.doc"), 2),
        (("--csv", "--json"), 2),
    ],
)
def test_profile_of_what_cannot_be(cosem, url, words, status):
    done = cosem("profile", url, PROFILE, *words)
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1)


def test_profile_of_what_is_none(cosem, url):
    done = cosem("profile", url, "1-0:1.8.0", "--last", "1d")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)


def test_a_profile_on_a_terminal_has_plots(cosem, url, monkeypatch):
    monkeypatch.setattr("cosem.cli.output.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    done = cosem("profile", url, PROFILE, "--last", "6h")
    assert "from row to row" in done.out
    assert re.search("[▁▂▃▄▅▆▇█]{20}", done.out)
    assert "1-0:99.1.0 Load profile 1" in done.out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", done.out).splitlines()
    assert max(map(len, lines)) <= 80


def test_demo_tells_the_story_in_80_columns(cosem):
    done = cosem("demo")
    assert (done.status, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80
    for part in (
        "tcp://127.0.0.1:",
        "COS1E",
        "Active energy import (+A), total",
        " Wh",
        " V",
        " messages",
        "GMAC",
        "█",
    ):
        assert part in done.out
    assert re.search(r"\n(93|97|101) rows, [\d,]+ octets in \d+ messages, chosen in the meter", done.out)


def test_demo_for_machines(cosem):
    done = cosem("demo", "--json")
    assert done.status == 0
    assert len(done.json["profile"]["rows"]) in (93, 97, 101)
    assert done.json["registers"][0]["unit"] == "Wh"
    assert all(entry["value"] for entry in done.json["identity"])
