"""Runs the tests of a module against every mutant of it, and tells which survive.

    python -m tests.mutation src/cosem/security/gcm.py ...

Every change that `mutants.py` knows is made, one at a time, in a process of its own, and the tests that reach the
changed line are run until one fails. No file is changed. `docs/explanation/mutations.md` says more, and lists the
survivors that are argued; the exit status is that of the others.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib.machinery
import importlib.util
import json
import os
import re
import resource
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.mutants import Mutant, mutants, source_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "mutations.md"
TESTS = [
    "tests/security",
    "src/cosem/security",
    "tests/server/test_security_setup.py",
    "tests/server/test_enforcement.py",
    "tests/store/test_key_stores.py",
    "tests/store/test_message_counters.py",
]
OPTIONS = ["-q", "-p", "no:cacheprovider"]
KILLED, SURVIVED, TIMEOUT, UNREACHED = "killed", "survived", "timeout", "unreached"
_OF_EVERY_MODULE = ["tests/security/test_values.py"]
_SLOW = 0.3
_NEAR = 6
NOTICED = {KILLED, TIMEOUT}


def prepare() -> None:
    """Make this process, and those that come of it, import from here and run alike."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "src"))
    # The same examples for every mutant; what fails need not be made small.
    settings.register_profile(
        "mutation",
        deadline=None,
        max_examples=60,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    # Or pytest would complain that hypothesis is imported already.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="+", type=Path)
    parser.add_argument("--tests", action="append", help="in place of the tests of cosem.security")
    parser.add_argument("--only", default="", help="part of the names of the mutants to run")
    parser.add_argument(
        "--fates",
        type=Path,
        help="file that keeps the fate of each mutant; those it calls killed are not run again",
    )
    parser.add_argument("--quick", action="store_true", help="without slow tests, and near files only")
    parser.add_argument("--new", action="store_true", help="leave out those, too, that are alive and argued")
    arguments = parser.parse_args()
    prepare()
    found: list[Mutant] = []
    trees: dict[str, ast.Module] = {}
    for path in arguments.modules:
        module = path.resolve().relative_to(ROOT / "src").with_suffix("").as_posix().replace("/", ".")
        module = module.removesuffix(".__init__")
        trees[module] = ast.parse(path.read_text(encoding="utf-8"))
        found += [mutant for mutant in mutants(trees[module], module) if arguments.only in mutant.name]
    fates = read_fates(arguments.fates)
    argued = read_arguments() if arguments.new else []
    wanted = [
        mutant
        for mutant in found
        if mutant.name not in fates
        or not (fates[mutant.name] in NOTICED or any(covers(argument, mutant) for argument in argued))
    ]
    tests = arguments.tests or TESTS
    read, write = os.pipe()
    if os.fork() == 0:
        os.close(read)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        with os.fdopen(write, "w") as out:
            pytest.main([*OPTIONS, *tests], plugins=[Warm(trees, wanted, out, quick=arguments.quick)])
        os._exit(0)
    os.close(write)
    files: dict[str, list[str]] = {}
    with os.fdopen(read) as lines:
        for line in lines:
            told = json.loads(line)
            files.update(told.get("files", {}))
            for name, fate in told.get("fates", {}).items():
                keep(arguments.fates, fates, name, fate)
    os.wait()
    for mutant in wanted:
        if not mutant.function:
            fate = cold(trees[mutant.module], mutant, files.get(mutant.module) or tests)
            keep(arguments.fates, fates, mutant.name, fate)
            progress(mutant, fate)
    return report(found, fates)


def read_fates(path: Path | None) -> dict[str, str]:
    if path is None or not path.exists():
        return {}
    return dict(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def keep(path: Path | None, fates: dict[str, str], name: str, fate: str) -> None:
    fates[name] = fate
    if path is not None:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps([name, fate], ensure_ascii=False) + "\n")


def own(node: str) -> bool:
    """Return whether a test is near security; those that come through a server are the last resort."""
    return not node.startswith("tests/server")


def progress(mutant: Mutant, fate: str) -> None:
    if fate not in NOTICED:
        print(f"{fate}: line {mutant.lines.start}: {mutant.name}", file=sys.stderr, flush=True)


def report(found: list[Mutant], fates: dict[str, str]) -> int:
    arguments = read_arguments()
    used: set[str] = set()
    left: list[Mutant] = []
    print(f"{'module':40} {'mutants':>8} {'killed':>8} {'argued':>8} {'left':>8}")
    for module in dict.fromkeys(mutant.module for mutant in found):
        mine = [mutant for mutant in found if mutant.module == module]
        alive = [mutant for mutant in mine if fates.get(mutant.name) not in NOTICED]
        covered = {
            mutant.name: argument for mutant in alive for argument in arguments if covers(argument, mutant)
        }
        used.update(covered.values())
        open_ones = [mutant for mutant in alive if mutant.name not in covered]
        left += open_ones
        figures = len(mine), len(mine) - len(alive), len(covered), len(open_ones)
        print(f"{module.removeprefix('cosem.'):40}" + "".join(f" {figure:8}" for figure in figures))
    for mutant in left:
        print(f"- `{mutant.name}`")
    for argument in arguments:
        if argument not in used and any(
            argument.split(":")[0] == m.module.removeprefix("cosem.") for m in found
        ):
            print(f"argued, and none is alive: {argument}")
    return 1 if left else 0


def read_arguments() -> list[str]:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return re.findall(r"^- `(.+)`$", text, re.MULTILINE)


def covers(argument: str, mutant: Mutant) -> bool:
    """Return whether an argument is about a mutant: its name, or the beginning of it and three dots."""
    return mutant.name.startswith(argument[:-1]) if argument.endswith("…") else mutant.name == argument


def child(run: Any, seconds: float) -> str:
    """Return the fate of a mutant: ``run`` returns in a process of its own whether a test failed."""
    number = os.fork()
    if number == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        limit = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        signal.alarm(limit * 20)
        try:
            failed = run()
        except BaseException:  # noqa: BLE001 -- whatever it was, the mutant was noticed
            failed = True
        os._exit(1 if failed else 0)
    _, status = os.waitpid(number, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM):
        return TIMEOUT
    return SURVIVED if status == 0 else KILLED


def cold(tree: ast.Module, mutant: Mutant, files: list[str]) -> str:
    """Run the tests against a change outside of functions: everything is imported anew."""

    def run() -> bool:
        code = compile(source_of(tree, mutant), f"<{mutant.module}>", "exec")

        class Finder(importlib.machinery.PathFinder):
            @classmethod
            def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
                spec = super().find_spec(fullname, path, target)
                if fullname == mutant.module and spec is not None:

                    class Loader(importlib.machinery.SourceFileLoader):
                        def get_code(self, fullname: str) -> CodeType:
                            return code

                    spec.loader = Loader(fullname, str(spec.origin))
                return spec

        sys.meta_path.insert(0, Finder)
        importlib.import_module(mutant.module)  # before pytest, which would import it in a way of its own
        # The files that reach most of the module first: to read them all takes longer than to find a failure.
        groups = (files[:2], files[2:])
        return any(pytest.main([*OPTIONS, "-x", *group]) != 0 for group in groups if group)

    return child(run, 60)


class Warm:
    """Collects the tests once, notes which lines each reaches, and runs them against changes of functions."""

    def __init__(self, trees: dict[str, ast.Module], found: list[Mutant], out: Any, *, quick: bool) -> None:
        self.trees = trees
        self.found = found
        self.out = out
        self.quick = quick
        self.failed = False
        self.paths = {str(ROOT / "src" / module.replace(".", "/")) + ".py": module for module in trees}
        for module in trees:
            package = ROOT / "src" / module.replace(".", "/") / "__init__.py"
            if package.exists():
                self.paths[str(package)] = module

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        reached: Mapping[tuple[str, int], list[int]] = defaultdict(list)
        spent, failing = [], set()
        for at, item in enumerate(session.items):
            self.failed = False
            spent.append(self.traced(session.items, at, reached))
            if self.failed:
                failing.add(at)
                print(f"fails without any mutant, and is left out: {item.nodeid}", file=sys.stderr)
        self.failed = False
        reached = {line: [at for at in items if at not in failing] for line, items in reached.items()}
        self.broken = {session.items[at].nodeid.partition("::")[0] for at in failing}
        print(f"{len(session.items)} tests in {time.process_time():.0f} s", file=sys.stderr, flush=True)
        self.tell(files=self.files(session.items, reached))
        functions = {
            (
                function.__code__.co_filename,
                function.__code__.co_qualname,
                function.__code__.co_firstlineno,
            ): function
            for function in gc.get_objects()
            if type(function) is FunctionType and function.__code__.co_filename in self.paths
        }
        gc.collect()
        gc.freeze()
        killers: list[int] = []
        for mutant in self.found:
            if not mutant.function:
                continue
            chosen = {at for line in mutant.lines for at in reached.get((mutant.module, line), ())}
            near = {at for at in chosen if own(session.items[at].nodeid)}
            chosen = near or chosen
            if self.quick:
                chosen = {at for at in chosen if spent[at] < _SLOW} or chosen
            if not chosen:
                fate = UNREACHED
            else:
                order = [at for at in killers if at in chosen]
                order += sorted(chosen - set(order), key=spent.__getitem__)
                fate = self.against(
                    mutant, functions, session.items, order, sum(spent[at] for at in order), killers
                )
            progress(mutant, fate)
            self.tell(fates={mutant.name: fate})
        return True

    def tell(self, **what: Any) -> None:
        self.out.write(json.dumps(what) + "\n")
        self.out.flush()

    def files(self, items: list[Any], reached: Mapping[tuple[str, int], list[int]]) -> dict[str, list[str]]:
        """Return the files of tests for each module, first those that reach most of its lines."""
        lines: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for (module, line), at_items in reached.items():
            for at in at_items:
                lines[module][items[at].nodeid.split("::", 1)[0]].add(line)
        near: dict[str, list[str]] = {}
        for module, by_file in lines.items():
            its_own = f"test_{module.rpartition('.')[2]}.py"
            names = sorted(
                by_file.keys() - self.broken, key=lambda name: (its_own not in name, -len(by_file[name]))
            )
            names = [name for name in names if own(name)] or names
            near[module] = [*(names[:_NEAR] if self.quick else names), *_OF_EVERY_MODULE]
        return near

    def traced(self, items: list[Any], at: int, reached: Mapping[tuple[str, int], list[int]]) -> float:
        lines: set[tuple[str, int]] = set()
        paths = self.paths

        def local(frame: FrameType, event: str, argument: Any) -> Any:
            del event, argument
            lines.add((frame.f_code.co_filename, frame.f_lineno))
            return local

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            del event, argument
            return local if frame.f_code.co_filename in paths else None

        following = items[at + 1] if at + 1 < len(items) else None
        begin = time.process_time()
        threading.settrace(trace)
        sys.settrace(trace)
        try:
            items[at].config.hook.pytest_runtest_protocol(item=items[at], nextitem=following)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
        for path, line in lines:
            reached[paths[path], line].append(at)
        return time.process_time() - begin

    def against(
        self,
        mutant: Mutant,
        functions: dict[tuple[str, str, int], FunctionType],
        items: list[Any],
        order: list[int],
        usual: float,
        killers: list[int],
    ) -> str:
        path = next(path for path, module in self.paths.items() if module == mutant.module)
        read, write = os.pipe()

        def run() -> bool:
            code = compile(source_of(self.trees[mutant.module], mutant), path, "exec")
            changed = _find(code, mutant.function, mutant.function_line)
            functions[path, mutant.function, mutant.function_line].__code__ = changed
            for place, at in enumerate(order):
                following = items[order[place + 1]] if place + 1 < len(order) else None
                items[at].config.hook.pytest_runtest_protocol(item=items[at], nextitem=following)
                if self.failed:
                    os.write(write, str(at).encode())
                    return True
            return False

        fate = child(run, 3 * usual + 5)
        os.close(write)
        with os.fdopen(read) as told:
            killer = told.read()
        if killer:
            if int(killer) in killers:
                killers.remove(int(killer))
            killers.insert(0, int(killer))
            del killers[20:]
        return fate


def _find(code: CodeType, qualified: str, line: int) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == qualified and constant.co_firstlineno == line:
                return constant
            try:
                return _find(constant, qualified, line)
            except LookupError:
                continue
    raise LookupError(qualified)


if __name__ == "__main__":
    sys.exit(main())
