"""Memory of simulated meters: thousands in one process, each at a port of its own, before and after a client came.

What is counted is the growth of the resident memory of this process. Every meter is made, associated with once over
TCP and asked for its serial number, which must be its own. Run it with the source of the meters and their number:

    python benchmarks/meters.py three-phase 10000
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
from pathlib import Path

from cosem.connecting import connect_async
from cosem.connecting.simulated import meter_maker
from cosem.server.simulation.many import ManyMeters

__all__ = ["measure"]

SERIAL = "0-0:96.1.0"
AT_ONCE = 50


def resident() -> int:
    """Return the resident memory of this process in octets (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def measure(source: str, count: int) -> dict[str, float]:
    """Return what each meter costs, and how long it takes.

    Raises:
        RuntimeError: A meter is not the one that it should be.
    """
    make = meter_maker(source)
    server = ManyMeters(lambda number, sap: make(number + 1, sap), count).listen_at_ports()
    warm = make(count + 1, None)
    short = warm.associations[0].profile.application_context.short_names
    before = resident()
    begin = time.perf_counter()
    async with server:
        listening, ready = resident(), time.perf_counter()
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(number: int, url: str) -> None:
            async with gate, connect_async(url, short_names=short) as meter:
                if bytes(await meter.get(SERIAL)) != b"%08d" % (10_000_001 + number):  # type: ignore[arg-type]
                    raise RuntimeError(f"meter {number} is another one")

        await asyncio.gather(*(ask(number, url) for number, url in enumerate(server.addresses)))
        done = time.perf_counter()
        after = resident()
    return {
        "meters": count,
        "objects": len(warm),
        "octets_each_listening": (listening - before) / count,
        "octets_each_in_use": (after - before) / count,
        "resident_megabytes": after / 1e6,
        "seconds_to_listen": ready - begin,
        "seconds_to_ask_all": done - ready,
    }


def main() -> None:
    """Measure and print."""
    source = sys.argv[1] if len(sys.argv) > 1 else "three-phase"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for name, value in asyncio.run(measure(source, count)).items():
        print(f"{name:24}{value:14,.1f}")


if __name__ == "__main__":
    main()
