"""The demonstration meter on one asyncio server, for measuring what idle sessions cost: prints its port, then serves."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from cosem.server import Server, demonstration_meter
from cosem.server.limits import ConnectionLimits


async def main() -> None:
    limits = ConnectionLimits(connections=None)  # the others as they are by default, their timers included
    async with Server(demonstration_meter(), limits=limits).listen("tcp://127.0.0.1:0") as server:
        print(urlsplit(server.address).port, flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
