"""Uses counters until it is killed; a script of its own, so that a fork is cheap.

``counter_user.py FILE`` writes each value it was given to standard output, for ever.
``counter_user.py FILE SEED KILLS`` dies KILLS times at a random statement of SQLite or a random value, each time
in a child that ends without any cleaning up, and writes every value that was given, and then ``deaths N``.
"""

from __future__ import annotations

import os
import random
import sys

from cosem.security.counters import CounterName
from cosem.store.sqlite_counters import SqliteCounterStore

NAME = CounterName(b"k" * 16, b"MMM00001")


def tell(value: int) -> None:
    """Write a value at once: what was given must be seen even if the next instruction is the last."""
    os.write(1, b"%d\n" % value)


def use_for_ever(path: str) -> None:
    counter = SqliteCounterStore(path, step=64).counter(NAME)
    while True:
        tell(counter.next())


def use_and_die(path: str, chance: random.Random) -> None:
    """Open, use and die at the n-th statement or the m-th value, whichever comes first."""
    statements, values = chance.randint(0, 24), chance.randint(0, 120)

    def traced(_: str) -> None:
        nonlocal statements
        if statements == 0:
            os._exit(9)
        statements -= 1

    store = SqliteCounterStore(path, step=32)
    store._connection.set_trace_callback(traced)
    counter = store.counter(NAME)
    for _ in range(values):
        tell(counter.next())
    os._exit(9)


def main() -> None:
    if len(sys.argv) == 2:
        use_for_ever(sys.argv[1])
    chance = random.Random(int(sys.argv[2]))
    deaths = 0
    for _ in range(int(sys.argv[3])):
        seed = chance.random()
        child = os.fork()
        if child == 0:
            use_and_die(sys.argv[1], random.Random(seed))
        _, status = os.waitpid(child, 0)
        deaths += os.waitstatus_to_exitcode(status) == 9
    print(f"deaths {deaths}", flush=True)


if __name__ == "__main__":
    main()
