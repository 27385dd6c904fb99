"""What the documentation tells people to type works.

Python blocks of a page run in order in one namespace, with doctest where they show answers. Lines of shell blocks
that begin with ``cosem`` and read the embedded meter (``sim:``) run as they stand. A block after the comment
``<!-- not run: REASON -->`` is left out.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "howto").glob("*.md")),
]
BLOCK = re.compile(
    r"(?P<left_out><!-- not run:[^>]*-->\s*)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)


def blocks(page: Path, kind: str) -> list[str]:
    return [
        found["text"]
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if found["kind"] == kind and not found["left_out"]
    ]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_python_of_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "documentation"}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for text in blocks(page, "python"):
        if ">>>" in text:
            told: list[str] = []
            example = doctest.DocTestParser().get_doctest(text, namespace, named(page), str(page), 0)
            runner.run(example, out=told.append, clear_globs=False)
            namespace.update(example.globs)
            assert not told, "".join(told)
        else:
            exec(compile(text, named(page), "exec"), namespace)  # noqa: S102 -- our own documentation


def commands() -> list[object]:
    return [
        pytest.param(line, id=f"{named(page)}: {line}")
        for page in PAGES
        for text in blocks(page, "sh")
        for line in (each.split("  #")[0].strip().removeprefix("$ ") for each in text.splitlines())
        if line.startswith("cosem ") and ("sim:" in line or line.startswith("cosem decode"))
    ]


@pytest.mark.parametrize("line", commands())
def test_command_of_the_page_runs(line: str, tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "cosem"
    done = subprocess.run(
        [program, *shlex.split(line)[1:]],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr
