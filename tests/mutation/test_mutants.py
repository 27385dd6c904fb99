"""What the mutants of a module are: each is one change, has a name of its own and can be compiled."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants, source_of

ROOT = Path(__file__).parents[2]
SECURITY = sorted((ROOT / "src" / "cosem" / "security").rglob("*.py"))


def changed(source: str) -> list[str]:
    tree = ast.parse(source)
    return [ast.unparse(source_of(tree, mutant)) for mutant in mutants(tree, "module")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b < 1", {"a = b <= 1", "a = b >= 1", "a = b < 2", "a = b < 0"}),
        ("a = b is None", {"a = b is not None"}),
        ("a = b and c", {"a = b or c", "a = b", "a = c"}),
        ("a = not b", {"a = b"}),
        ("a = -b", {"a = b"}),
        ("a = True", {"a = False"}),
        ("a = b'ab'", {"a = b'`b'"}),
        ("a = b''", {r"a = b'\x00'"}),
        ("a = 'x'", {"a = 'xX'"}),
        ("a = b + c", {"a = b - c", "a = b", "a = c"}),
        ("a = b << c", {"a = b >> c"}),
        ("a = b[c:d]", {"a = b[:d]", "a = b[c:]"}),
        ("a = f(b, c=d)", {"a = f(b)"}),
        ("a = min(b)", {"a = max(b)"}),
        ("a = b if c else d", {"a = b", "a = d"}),
        ("a = [b for b in c if b]", {"a = [b for b in c]"}),
        ("a.b = c", {"pass"}),
        ("a += b", {"pass", "a -= b"}),
        ("f(a)", {"pass"}),
        ("raise E('text', 1)", {"pass", "raise E('textX', 1)", "raise E('text', 2)", "raise E('text', 0)"}),
        ("raise AnyError('text', 1)", {"pass"}),
        ("if a:\n    b()", {"if True:\n    b()", "if False:\n    b()", "if a:\n    pass"}),
        (
            "def f(a=True):\n    return a",
            {"def f(a=False):\n    return a", "def f(a=True):\n    return None"},
        ),
        (
            "try:\n    a()\nexcept E:\n    b()",
            {
                "try:\n    pass\nexcept E:\n    b()",
                "try:\n    a()\nexcept E:\n    raise",
                "try:\n    a()\nexcept E:\n    pass",
            },
        ),
    ],
)
def test_each_operator(source, expected):
    found = changed(source)
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""Text."""',
        "import a",
        "__all__ = ['a']",
        "a: b = c",
        "def f(a: 'b') -> 'c': ...",
        "if TYPE_CHECKING:\n    a = 1",
        "class A(Protocol):\n    a = 1",
    ],
)
def test_what_is_left_alone(source):
    assert changed(source) == []


@pytest.mark.parametrize("path", SECURITY, ids=lambda path: path.stem)
def test_each_mutant_has_a_name_of_its_own_and_leaves_the_module_as_it_was(path):
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    found = mutants(tree, "module")
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found[::25]:
        assert ast.unparse(source_of(tree, mutant)) != ast.unparse(tree)
    assert ast.dump(tree) == ast.dump(ast.parse(source))
