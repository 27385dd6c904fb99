"""The mutants of a module: every small change to its source that a good test should notice.

Left alone are docstrings, annotations, imports, ``__all__`` and ``__slots__``, what only a type checker reads, and
the texts of errors: what an error says is tested where it matters, what it is and holds is mutated.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Mutant", "mutants", "source_of"]

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_OTHER_METHODS = {"startswith": "endswith", "endswith": "startswith", "lower": "upper", "strip": "upper"}
_NO_VALUES = {"__all__", "__slots__"}
_CONTEXT = 40


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what replaces what, and what it is called."""

    module: str
    function: str
    """Qualified name of the outermost function with its classes; empty outside of functions."""
    function_line: int
    lines: range
    """Those of the statement, without the statements in it."""
    name: str
    parent: ast.AST
    field: str
    index: int | None
    replacement: ast.AST


def source_of(tree: ast.Module, mutant: Mutant) -> ast.Module:
    """Return a copy of the module with the change."""
    before = _get(mutant)
    _set(mutant, mutant.replacement)
    try:
        return copy.deepcopy(tree)
    finally:
        _set(mutant, before)


def _get(mutant: Mutant) -> ast.AST:
    value = getattr(mutant.parent, mutant.field)
    return value if mutant.index is None else value[mutant.index]


def _set(mutant: Mutant, node: ast.AST) -> None:
    if mutant.index is None:
        setattr(mutant.parent, mutant.field, node)
    else:
        getattr(mutant.parent, mutant.field)[mutant.index] = node


def mutants(tree: ast.Module, module: str) -> list[Mutant]:
    """Return every mutant of a module, each with a name that no other has."""
    found: list[Mutant] = []
    names: dict[str, int] = {}
    for place in _places(tree):
        for replacement in _replacements(place.node, place.parent, place.field):
            ast.copy_location(replacement, place.node)
            ast.fix_missing_locations(replacement)
            draft = Mutant(
                module,
                place.function,
                place.function_line,
                _lines(place.statement),
                "",
                place.parent,
                place.field,
                place.index,
                replacement,
            )
            name = _name(draft, place)
            if name is None:
                continue
            names[name] = names.get(name, 0) + 1
            if names[name] > 1:
                name += f" ({names[name]})"
            found.append(
                Mutant(*(name if f == "name" else getattr(draft, f) for f in Mutant.__dataclass_fields__))
            )
    return found


@dataclass(frozen=True)
class _Place:
    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt | ast.ExceptHandler
    function: str
    function_line: int
    scope: str


def _places(tree: ast.Module) -> Iterator[_Place]:
    def walk(
        parent: ast.AST, statement: ast.stmt | ast.ExceptHandler | None, function: str, line: int, scope: str
    ) -> Iterator[_Place]:
        for field, value in ast.iter_fields(parent):
            # Defaults and decorators belong to the place where the function is defined.
            if (
                isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef))
                and field == "body"
                and not function
            ):
                decorators = parent.decorator_list
                function, line = scope, (decorators[0].lineno if decorators else parent.lineno)
            for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
                if not isinstance(node, ast.AST) or _left_alone(node, parent, field):
                    continue
                owner = node if isinstance(node, (ast.stmt, ast.ExceptHandler)) else statement
                if owner is None:
                    continue
                yield _Place(node, parent, field, index, owner, function, line, scope)
                named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                inner = f"{scope}.{node.name}".strip(".") if named else scope  # type: ignore[attr-defined]
                yield from walk(node, owner, function, line, inner)
            if (
                field == "body"
                and isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef))
                and function == scope
            ):
                function, line = "", 0

    return walk(tree, None, "", 0, "")


def _left_alone(node: ast.AST, parent: ast.AST, field: str) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.expr_context)):
        return True
    if field in {"annotation", "returns"}:
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # docstrings, and the dots of protocols
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id in _NO_VALUES for target in targets):
            return True
        if isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation):
            return True
    if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases):
        return True
    if isinstance(parent, ast.ClassDef) and field == "bases":
        return True
    # The texts of errors.
    return (
        isinstance(parent, ast.Call)
        and _is_error(parent)
        and isinstance(node, (ast.JoinedStr, ast.Constant, ast.BinOp, ast.IfExp))
    )


def _is_error(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name.endswith(("Error", "Exhausted", "Missing", "Refused"))


def _replacements(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for position, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                changed = copy.deepcopy(node)
                changed.ops[position] = other()
                yield changed
    elif isinstance(node, ast.BoolOp):
        changed = copy.deepcopy(node)
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield changed
        for position in range(len(node.values)):
            rest = [copy.deepcopy(value) for at, value in enumerate(node.values) if at != position]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(copy.deepcopy(node.op), rest)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        changed = copy.deepcopy(node)
        changed.op = _OPERATORS[type(node.op)]()
        yield changed
        if isinstance(node.op, (ast.Add, ast.BitOr, ast.BitAnd)):
            yield copy.deepcopy(node.left)
            yield copy.deepcopy(node.right)
    elif isinstance(node, ast.Slice):
        for bound in ("lower", "upper"):
            if getattr(node, bound) is not None:
                changed = copy.deepcopy(node)
                setattr(changed, bound, None)
                yield changed
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.IfExp):
        yield copy.deepcopy(node.body)
        yield copy.deepcopy(node.orelse)
    elif isinstance(node, ast.comprehension):
        for position in range(len(node.ifs)):
            changed = copy.deepcopy(node)
            del changed.ifs[position]
            yield changed
    elif isinstance(node, ast.ExceptHandler):
        changed = copy.deepcopy(node)
        changed.body = [ast.Raise()]
        yield changed
    elif isinstance(node, ast.stmt):
        yield from _statements(node)


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, bytes):
        yield ast.Constant(bytes((value[0] ^ 1,)) + value[1:] if value else b"\0")
    elif isinstance(value, str):
        yield ast.Constant(value + "X")


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    for position, keyword in enumerate(node.keywords):
        if keyword.arg is None:
            continue
        changed = copy.deepcopy(node)
        del changed.keywords[position]
        yield changed
    if isinstance(node.func, ast.Name) and node.func.id in _OTHER_NAMES:
        changed = copy.deepcopy(node)
        changed.func = ast.Name(_OTHER_NAMES[node.func.id], ast.Load())
        yield changed
    if isinstance(node.func, ast.Attribute) and node.func.attr in _OTHER_METHODS:
        changed = copy.deepcopy(node)
        assert isinstance(changed.func, ast.Attribute)
        changed.func.attr = _OTHER_METHODS[node.func.attr]
        yield changed


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, (ast.If, ast.While)):
        for value in (True, False) if isinstance(node, ast.If) else (False,):
            changed = copy.copy(node)
            changed.test = ast.copy_location(ast.Constant(value), node.test)
            yield changed
    elif isinstance(node, ast.Return):
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
        elif node.value is None:
            yield ast.Pass()
    elif isinstance(node, (ast.Expr, ast.Raise, ast.Continue, ast.Break, ast.Delete)):
        yield ast.Pass()
    elif isinstance(node, ast.AugAssign):
        yield ast.Pass()
        if type(node.op) in _OPERATORS:
            changed = copy.deepcopy(node)
            changed.op = _OPERATORS[type(node.op)]()
            yield changed
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            yield ast.Pass()


def _header(node: ast.AST) -> str:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return f"{ast.unparse(node)}".split(":\n")[0]
    if isinstance(node, ast.ExceptHandler):
        return f"except {ast.unparse(node.type) if node.type else ''}"
    if hasattr(node, "body") and isinstance(node, ast.stmt):
        shallow = copy.copy(node)
        shallow.body = [ast.Pass()]  # type: ignore[attr-defined]
        for field in ("orelse", "finalbody", "handlers"):
            if getattr(shallow, field, None):
                setattr(shallow, field, [])
        if isinstance(node, ast.Try):
            return "try"
        return ast.unparse(shallow).removesuffix("\n    pass").removesuffix(":")
    return " ".join(ast.unparse(node).split("\n"))


def _lines(statement: ast.stmt | ast.ExceptHandler) -> range:
    end = statement.end_lineno or statement.lineno
    body = getattr(statement, "body", None)
    if body and not isinstance(statement, ast.Try):
        end = max(statement.lineno, body[0].lineno - 1)
    return range(statement.lineno, end + 1)


def _name(draft: Mutant, place: _Place) -> str | None:
    """Return what changes in its statement, or None if nothing does."""
    if place.node is place.statement:
        before = _header(place.node)
        after = "(deleted)" if isinstance(draft.replacement, ast.Pass) else _header(draft.replacement)
        if isinstance(place.node, ast.ExceptHandler):
            after = "(raised again)"
    else:
        before = _header(place.statement)
        _set(draft, draft.replacement)
        try:
            after = _header(place.statement)
        finally:
            _set(draft, place.node)
    if before == after:
        return None
    if after.startswith("("):
        change = f"{_short(before)} → {after}"
    else:
        start = 0
        while start < min(len(before), len(after)) and before[start] == after[start]:
            start += 1
        end = 0
        while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
            end += 1
        while start and _joined(before[start - 1]):
            start -= 1
        while end and _joined(before[-end]):
            end -= 1
        head = before[max(0, start - _CONTEXT) : start]
        tail = before[len(before) - end :][:_CONTEXT]
        change = f"{head}⟦{before[start : len(before) - end]} → {after[start : len(after) - end]}⟧{tail}"
    change = " ".join(change.split("\n"))
    where = place.scope or "module"
    return f"{draft.module.removeprefix('cosem.')}: {where}: {change}".replace("`", "'")


def _joined(character: str) -> bool:
    return character.isalnum() or character in "_=<>!"


def _short(text: str) -> str:
    return text if len(text) <= 90 else text[:87] + "..."
