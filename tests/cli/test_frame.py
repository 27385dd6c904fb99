"""The frame: help, exit statuses, one-line errors, whatever happens."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import cosem.cli.verbs
from cosem import errors
from cosem.cli import frame, main
from cosem.cli.verbs import VERBS

MODULES = sorted(
    path.stem for path in Path(cosem.cli.verbs.__path__[0]).glob("*.py") if not path.stem.startswith("_")
)


def test_every_verb_is_one_module_and_has_one_line_in_the_table():
    assert sorted(VERBS) == MODULES


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_describes_it_with_examples_and_json_in_80_columns(cosem, verb):
    done = cosem(verb, "--help")
    assert done.status == 0
    assert done.err == ""
    assert f"usage: cosem {verb}" in done.out
    assert "--json" in done.out
    examples = done.out.partition("examples:\n")[2]
    assert f"cosem {verb}" in examples
    assert max(map(len, done.out.splitlines())) <= 80
    assert cosem("help", verb).out == done.out


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_top_help_lists_every_verb(cosem, word):
    done = cosem(word)
    assert done.status == 0
    for verb, summary in VERBS.items():
        assert f"  {verb:<12}{summary}\n" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_no_words_show_the_help_on_standard_error(cosem):
    done = cosem()
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: cosem VERB")


def test_version(cosem):
    done = cosem("--version")
    assert done.status == 0
    assert done.out.startswith("cosem 0.")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["deocde"], "did you mean decode?"),
        (["Decode"], "did you mean decode?"),
        (["zzzzzz"], "use one of "),
        (["--json", "read"], "options come after the verb"),
        (["decode", "--jsno", "00"], "did you mean --json?"),
        (["decode", "--js", "00"], "unrecognized arguments"),
        (["help", "deocde"], "did you mean decode?"),
        (["\udcff\x1b[31m"], "no verb"),
    ],
)
def test_wrong_usage_is_one_line_with_a_hint(cosem, words, hint):
    done = cosem(*words)
    assert done.status == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert hint in done.err
    assert "\x1b" not in done.err


class Stream:
    """A standard output that fails when it is written to."""

    encoding = "utf-8"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise OSError("no descriptor")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (
            FileNotFoundError(2, "No such file or directory", "key.txt"),
            1,
            "key.txt: No such file or directory",
        ),
        (errors.TransportTimeout("no answer within 10 s"), 1, "no answer within 10 s"),
        (errors.TransportClosed(), 1, "transport closed"),
        (errors.ConfigurationError("port 0"), 2, "port 0"),
        (errors.AccessError("1.0.1.8.0.255 attribute 2", 3), 1, "1.0.1.8.0.255 attribute 2"),
        (ModuleNotFoundError("No module named 'rich'", name="rich"), 1, "rich is not installed"),
        (RecursionError("too deep"), 1, "internal error, RecursionError: too deep"),
        (MemoryError(), 1, "internal error, MemoryError"),
        (KeyError("a\nb"), 1, "internal error, KeyError"),
        (ModuleNotFoundError("No module named 'cosem.x'", name="cosem.x"), 1, "internal error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_whatever_happens_is_one_line_and_a_status(monkeypatch, capsys, error, status, said):
    monkeypatch.setattr(import_module("cosem.cli.verbs.decode"), "run", lambda options: throw(error))
    assert main(["decode", "00"]) == status
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == bool(said)
    assert said in told.err
    assert "Traceback" not in told.err


def throw(error: BaseException) -> int:
    raise error


def test_an_error_in_several_lines_becomes_one(monkeypatch, capsys):
    error = errors.ProtocolError("first\nsecond\r\n  third")
    monkeypatch.setattr(import_module("cosem.cli.verbs.decode"), "run", lambda options: throw(error))
    assert main(["decode", "00"]) == 1
    assert capsys.readouterr().err == "cosem decode: error: first second third\n"


def test_a_fault_of_ours_shows_where_it_happened_when_asked(monkeypatch, capsys):
    monkeypatch.setenv("COSEM_DEBUG", "1")
    monkeypatch.setattr(import_module("cosem.cli.verbs.decode"), "run", lambda options: throw(KeyError("x")))
    assert main(["decode", "00"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_a_failure(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Stream(OSError(28, "No space left on device")))
    assert main(["decode", "C001C1000800000100 00FF0200"]) == 1
    assert capsys.readouterr().err == "cosem decode: error: No space left on device\n"


def test_a_reader_who_goes_away_is_a_failure_without_a_word(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Stream(BrokenPipeError(32, "Broken pipe")))
    assert main(["decode", "C001C1000800000100 00FF0200"]) == 1
    assert capsys.readouterr().err == ""


def process(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cosem", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_module_can_be_run():
    done = process("decode", "C00181000800000100 00FF0200")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("    0  C0 01 ")


def test_a_pipe_that_closes_leaves_no_trace():
    words = [sys.executable, "-m", "cosem", "decode", "C001C1000800000100 00FF0200"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_poor_encoding_shows_other_signs_and_no_error():
    octets = "C40181000C02C3BC"
    done = process("decode", octets, env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xfc" in done.stdout


def test_help_loads_neither_a_parser_nor_the_library():
    program = (
        "import sys\n"
        "from cosem.cli import main\n"
        "main(['--help'])\n"
        "print(sorted(set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(ast.literal_eval(done.stderr))
    assert not loaded & {"argparse", "asyncio", "cryptography", "rich", "socket", "dataclasses", "cosem.apdu"}
    assert {name for name in loaded if name.startswith("cosem.cli.verbs.")} == set()


def test_statuses_are_those_that_are_promised():
    assert (frame.SUCCESS, frame.FAILURE, frame.USAGE, frame.INTERRUPTED) == (0, 1, 2, 130)
