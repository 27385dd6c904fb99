"""The demonstration meter with an association for each way to authenticate and cipher: prints its port, then serves.

It is run as a process, with one JSON object: the keys, and the associations that are wanted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urlsplit

from cosem.security.counters import VolatileCounterStore
from cosem.server import AccessRights, Server, demonstration_meter
from cosem.server.security import secured_profile
from cosem.types.enumerations import AuthenticationMechanism


async def main(wanted: dict[str, Any]) -> None:
    meter, counters = demonstration_meter(), VolatileCounterStore()
    for each in wanted["associations"]:
        keys = dict(wanted["keys"])
        if each["secret"]:
            keys["password" if each["mechanism"] == 1 else "hls_secret"] = each["secret"].encode()
        profile = secured_profile(
            AuthenticationMechanism(each["mechanism"]),
            keys,
            client_sap=each["client"],
            ciphered=each["ciphered"],
            counters=counters,
            lenient_release=True,  # a peer releases in clear
        )
        meter.add_association(profile, AccessRights.full())
    async with Server(meter).listen("tcp://127.0.0.1:0") as server:
        print(urlsplit(server.address).port, flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
