"""Short names on the command line: the option, the URL, and base names in a file."""

from __future__ import annotations

import pytest

from cosem.server import demonstration_meter, serve_in_thread

MANAGEMENT = ("--client", "1", "--password", "87654321")


@pytest.fixture(scope="module")
def url():
    with serve_in_thread(demonstration_meter()) as address:
        yield address


def test_the_verbs_work_by_short_names(cosem, url):
    for words in (("--short-names",), ()):
        address = url if words else f"{url}?short_names=1"
        done = cosem("read", address, "0-0:96.1.0", "1-0:1.8.0", "--json", *words)
        assert (done.status, [each["unit"] for each in done.json]) == (0, ["", "Wh"])
    text = ("0-0:96.13.0", "value")
    assert cosem("set", url, *text, "text:hello", "--short-names", *MANAGEMENT).status == 0
    assert "hello" in cosem("read", url, text[0], "--short-names").out
    assert cosem("call", url, "0-0:96.3.10", "remote_disconnect", "--short-names", *MANAGEMENT).status == 0
    profile = cosem("profile", url, "1-0:99.1.0", "--last", "2h", "--json", "--short-names")
    assert profile.status == 0
    assert profile.out == cosem("profile", url, "1-0:99.1.0", "--last", "2h", "--json").out


def test_the_object_list_shows_base_names(cosem, url):
    done = cosem("objects", url, "--short-names", "--class", "12")
    assert (done.status, done.out.splitlines()[2].split()[:2]) == (0, ["FA00", "0-0:40.0.0"])
    (association,) = cosem("objects", url, "--short-names", "--class", "12", "--json").json
    assert association["base_name"] == 0xFA00
    assert "base" not in cosem("objects", url).out.splitlines()[0]
    assert "base_name" not in cosem("objects", url, "--json").json[0]


def test_base_names_come_from_a_file(cosem, url, tmp_path):
    listed = cosem("objects", url, "--short-names", "--class", "3", "--json").json
    energy = next(each for each in listed if each["obis"] == "1.0.1.8.0.255")
    file = tmp_path / "names.txt"
    file.write_text(f"# of one meter\n{energy['base_name']:04X} 3 0 1.0.1.8.0.255 # total\n")
    done = cosem("read", url, "1-0:1.8.0", "--json", "--base-names", str(file), "-v")
    assert (done.status, done.json[0]["unit"]) == (0, "Wh")
    assert "FA 08" not in done.err
    refused = cosem("read", url, "1-0:2.8.0", "--base-names", str(file))
    assert (refused.status, "object-undefined" in refused.err) == (1, True)


@pytest.mark.parametrize("text", ["0199 3 0 1.0.1.8.0.255", "word"])
def test_a_file_that_holds_something_else_is_one_line(cosem, url, tmp_path, text):
    file = tmp_path / "names.txt"
    file.write_text(text)
    done = cosem("read", url, "1-0:1.8.0", "--base-names", str(file))
    assert done.status == 2
    assert (done.out, done.err.count("\n"), "names.txt: line 1" in done.err) == ("", 1, True)


def test_a_file_that_is_not_there_is_one_line(cosem, url):
    done = cosem("read", url, "1-0:1.8.0", "--base-names", "no-such-file.txt")
    assert done.status != 0
    assert (done.out, done.err.count("\n"), "no-such-file.txt" in done.err) == ("", 1, True)
