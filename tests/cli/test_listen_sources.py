"""Many sources of ``cosem listen``: the one that was silent longest is let go of, and nothing of it is lost or kept."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from contextlib import ExitStack

import pytest

from cosem.cli.push_sources import Chunk
from cosem.cli.recording_heard import HeardMessages
from cosem.cli.verbs import listen
from cosem.link.wrapper import wrap
from cosem.push import decode
from tests.cli.test_listen import NOTIFICATION

UNIT = wrap(NOTIFICATION, 1, 103)


def options(*words: str):
    parser = ArgumentParser()
    listen.add_arguments(parser)
    parser.set_defaults(json=True)
    return parser.parse_args(["tcp://127.0.0.1:0", "--quiet", *words])


@pytest.fixture
def few_sources(monkeypatch):
    monkeypatch.setattr(listen, "_MOST_SOURCES", 3)


def test_what_had_begun_goes_to_the_dead_letters(few_sources, tmp_path):
    with ExitStack() as stack:
        listening = listen._Listening(options("--dead-letters", str(tmp_path / "dead")), stack)
        listening._take(Chunk("tcp://a:1", UNIT[:20]))
        for number in range(4):
            listening._take(Chunk(f"tcp://b:{number}", UNIT))
        assert len(listening._parsers) == 3
    (letter,) = [json.loads(line) for line in (tmp_path / "dead").read_text().splitlines()]
    assert (letter["source"], letter["octets"]) == ("tcp://a:1", UNIT[:20].hex().upper())


def test_the_source_that_spoke_last_is_kept(few_sources):
    with ExitStack() as stack:
        listening = listen._Listening(options(), stack)
        listening._take(Chunk("tcp://a:1", UNIT[:20]))
        for number in range(6):
            listening._take(Chunk(f"tcp://b:{number}", UNIT))
            listening._take(Chunk("tcp://a:1", b""))
        before = listening.taken
        listening._take(Chunk("tcp://a:1", UNIT[20:]))
        assert listening.taken == before + 1


def test_a_recording_keeps_nothing_of_connections_that_are_closed(tmp_path):
    with ExitStack() as stack:
        listening = listen._Listening(options("--record", str(tmp_path / "heard")), stack)
        for number in range(20):
            listening._take(Chunk(f"tcp://a:{number}", UNIT + UNIT[:9]))
            listening._take(Chunk(f"tcp://a:{number}", b"", ended=True, closed=True))
        heard = listening._recording
        assert (heard._recorders, heard._framings, heard._waiting) == ({}, {}, {})
    lines = [json.loads(line) for line in (tmp_path / "heard").read_text().splitlines()]
    assert sum(line.get("received") == "apdu" for line in lines) == 20
    assert {line.get("connection", 0) for line in lines} == set(range(20))


def test_a_recording_keeps_nothing_of_sources_that_gave_way(few_sources, tmp_path):
    with ExitStack() as stack:
        listening = listen._Listening(options("--record", str(tmp_path / "heard")), stack)
        for number in range(20):
            listening._take(Chunk(f"tcp://a:{number}", UNIT))
        assert len(listening._recording._recorders) == 3


def test_a_connection_of_the_same_name_is_another_one_in_a_recording(tmp_path):
    heard = HeardMessages(str(tmp_path / "heard"))
    (message,) = decode(UNIT)
    for _ in range(2):
        heard.octets("tcp://a:1", UNIT)
        heard.message("tcp://a:1", message)
        heard.closed("tcp://a:1")
    assert heard._file.connections == 2
    heard.close()


@pytest.mark.parametrize("words", ["0", "-1", "4000", "nan"])
def test_a_silence_that_makes_no_sense_is_refused(cosem, words):
    done = cosem("listen", f"--silence={words}", "hex:00")
    assert done.status == 2
    assert "--silence" in done.err
