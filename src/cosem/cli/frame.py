"""The frame of the command line: finds the verb, and turns whatever happens into one line and an exit status.

The top help is made of a static table; a verb's module and its parser are loaded when the verb is named, so that
``cosem --help`` costs hardly more than the interpreter.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from cosem.cli.verbs import VERBS
from cosem.errors import ConfigurationError, CosemError
from cosem.types.text import printable

if TYPE_CHECKING:
    import argparse

__all__ = ["FAILURE", "INTERRUPTED", "SUCCESS", "USAGE", "run"]

SUCCESS: Final = 0
FAILURE: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

_DEBUG: Final = "COSEM_DEBUG"
_WIDTH: Final = 80
_LONGEST_LINE: Final = 800
_INTRODUCTION: Final = """\
usage: cosem VERB [options]

Read, simulate and understand meters that speak DLMS/COSEM.

"""
_CLOSING: Final = """
A meter is named by a URL: tcp://HOST[:4059]?client=16&server=1, or sim: for the
demonstration meter in this process.

  cosem demo                       see it work
  cosem read sim: 1-0:1.8.0        read one register
  cosem VERB --help                options and examples of a verb

Every verb takes --json. The exit status is 0 on success only: 1 is a failure,
2 wrong usage, 130 an interruption.
"""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _replace_closed_streams()
    _tolerate_poor_encodings()
    name = "cosem"
    try:
        if words and words[0] in VERBS:
            name = f"cosem {words[0]}"
        status = _dispatch(words)
        sys.stdout.flush()
        if status == SUCCESS and isinstance(sys.stdout, _Nowhere) and sys.stdout.written:
            return _said(name, "standard output is closed: what was to be shown is lost", FAILURE)
        return status
    except BrokenPipeError:
        _forget_standard_output()
        return FAILURE
    except KeyboardInterrupt:
        return _said(name, "interrupted", INTERRUPTED)
    except ConfigurationError as error:
        return _said(name, str(error), USAGE)
    except CosemError as error:
        return _said(name, str(error) or _spoken(error), FAILURE)
    except OSError as error:
        return _said(name, _of_system(error), FAILURE)
    except ImportError as error:
        return _said(name, _missing(error), FAILURE)
    except Exception as error:  # noqa: BLE001 -- a fault of ours must not show a traceback to who reads a meter
        return _said(name, _of_ours(error), FAILURE)


def _dispatch(words: list[str]) -> int:
    if not words:
        print(_top_help(), file=sys.stderr, end="")
        return USAGE
    verb, *rest = words
    if verb == "help":
        verb, rest = (rest[0], ["--help"]) if rest else ("--help", [])
    if verb in ("-h", "--help"):
        print(_top_help(), end="")
        return SUCCESS
    if verb in ("-V", "--version"):
        from importlib.metadata import version

        print(f"cosem {version('cosem')}")
        return SUCCESS
    if verb.startswith("-"):
        raise ConfigurationError(
            f"options come after the verb: cosem VERB {verb}; cosem --help lists the verbs"
        )
    if verb not in VERBS:
        raise ConfigurationError(_unknown(verb))
    from importlib import import_module

    module = import_module(f"cosem.cli.verbs.{verb}")
    try:
        options = _parser(verb, module).parse_args(rest)
    except SystemExit:  # its way to say that the help was shown; errors are ours
        return SUCCESS
    status: int = module.run(options)
    return status


def _top_help() -> str:
    rows = [f"  {verb:<12}{summary}\n" for verb, summary in VERBS.items()]
    return _INTRODUCTION + "".join(rows) + _CLOSING


def _unknown(verb: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(verb.lower(), VERBS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(VERBS)}"
    return f"there is no verb {verb!r}; {hint}"


def _parser(verb: str, module: Any) -> argparse.ArgumentParser:
    """Return the parser of a verb; its errors are ours, one line each."""
    import argparse

    class Parser(argparse.ArgumentParser):
        def print_help(self, file: Any = None) -> None:
            print(self.format_help(), end="", file=file)  # argparse itself would hide that nobody reads it

        def error(self, message: str) -> NoReturn:
            message = f"{_without_values(message)}{_meant(message, self._option_string_actions)}"
            raise ConfigurationError(f"{message}; see {self.prog} --help")

    width = max(len(command) for command, _ in module.EXAMPLES)
    beside = 2 + width + 3 + max(len(meaning) for _, meaning in module.EXAMPLES) <= _WIDTH
    rows = [
        f"  {command:<{width}}   {meaning}" if beside else f"  {command}\n      {meaning}"
        for command, meaning in module.EXAMPLES
    ]
    summary = VERBS[verb]
    parser = Parser(
        prog=f"cosem {verb}",
        description=_filled(module.__doc__ or f"{summary[0].upper()}{summary[1:]}."),
        epilog="\n".join(["examples:", *rows]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="for machines: JSON on standard output")
    return parser


def _filled(text: str) -> str:
    """Return paragraphs in lines of the width of a terminal; what is indented stays as it is."""
    import textwrap

    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(
        paragraph if paragraph.startswith(" ") else textwrap.fill(paragraph, _WIDTH)
        for paragraph in paragraphs
    )


def _without_values(message: str) -> str:
    """Return which options are unknown, without what follows them: that of a misspelt --password is a secret."""
    said, found, given = message.partition("unrecognized arguments: ")
    words = given.split()
    if not found or not any(word.startswith("-") for word in words):
        return message
    return f"{said}{found}{' '.join(word.partition('=')[0] for word in words if word.startswith('-'))}"


def _meant(message: str, known: Iterable[str]) -> str:
    """Return which option may have been meant by one that is unknown; nothing for other messages."""
    from difflib import get_close_matches

    _, found, given = message.partition("unrecognized arguments: ")
    option = given.split()[0].partition("=")[0] if found and given.strip() else ""
    near = get_close_matches(option, known, n=1, cutoff=0.7) if option.startswith("-") else []
    return f" (did you mean {near[0]}?)" if near else ""


def _said(name: str, text: str, status: int) -> int:
    """Write one line to standard error, and return the status."""
    line = printable(" ".join(text.split()))
    if len(line) > _LONGEST_LINE:  # of what was typed, which may be anything
        line = f"{line[: _LONGEST_LINE // 2]} ... {line[-_LONGEST_LINE // 4 :]}"
    try:
        print(f"{name}: {line}" if status == INTERRUPTED else f"{name}: error: {line}", file=sys.stderr)
        sys.stderr.flush()
    except OSError:
        pass  # nobody listens; the status still tells
    if os.environ.get(_DEBUG) and sys.exc_info()[0] is not None:
        import traceback

        traceback.print_exc()
    try:
        sys.stdout.flush()
    except OSError:
        _forget_standard_output()
    return status


def _spoken(error: BaseException) -> str:
    """Return the name of an error in words, for one that says nothing."""
    import re

    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _of_system(error: OSError) -> str:
    """Return what an operating system's error says, with what it is about."""
    problem = error.strerror or str(error) or _spoken(error)
    return f"{error.filename}: {problem}" if error.filename else problem


def _missing(error: ImportError) -> str:
    if error.name and not error.name.startswith("cosem"):
        return f"the package {error.name} is not installed"
    return _of_ours(error)


def _of_ours(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return f"internal error, {type(error).__name__}: {text}. Please report it; {_DEBUG}=1 shows where it happened"


class _Nowhere(io.TextIOWrapper):
    """Takes what is written to a stream that was closed from the start, and remembers that something was."""

    def __init__(self) -> None:
        super().__init__(open(os.devnull, "wb"), encoding="utf-8")  # noqa: PTH123, SIM115 -- until the end
        self.written = False

    def write(self, text: str) -> int:
        self.written = True
        return super().write(text)


def _replace_closed_streams() -> None:
    """Let what is written to a stream that was closed from the start (``>&-``) go nowhere.

    What a verb has to do besides is done: a service whose output nobody reads goes on.
    """
    # In this order each takes the descriptor that is free, so that no connection gets it.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, _Nowhere())


def _tolerate_poor_encodings() -> None:
    """Let a terminal that cannot show a sign show another one instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _forget_standard_output() -> None:
    """Point standard output to nowhere: the interpreter flushes it once more at its end."""
    try:
        descriptor = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    except (OSError, ValueError):
        pass
