"""One server for every client that ciphers: HLS-GMAC, suite 0, tag and encryption; prints its port, then serves.

It has a register and a profile of 10,000 rows, which goes out in blocks. Each client has an address and a system title
of its own, and answers come in the form of protection that the client uses.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import inputs
from cosem.security.counters import VolatileCounterStore
from cosem.server import (
    AccessRights,
    ClockObject,
    DataObject,
    LogicalDevice,
    ProfileGenericObject,
    RegisterObject,
    Server,
    secured_profile,
)
from cosem.types.data import DoubleLongUnsigned, OctetString, Structure, Unsigned
from cosem.types.enumerations import AuthenticationMechanism

LONGEST_APDU = 1200


def meter() -> LogicalDevice:
    """Return the meter without its associations."""
    counters = [f"1.0.{number}.8.0.255" for number in (1, 2, 3, 4)]
    registers = [
        RegisterObject(name, value=DoubleLongUnsigned(inputs.VALUE), scaler_unit=(0, 30)) for name in counters
    ]
    rows = [
        Structure((OctetString(stamp), Unsigned(status), *map(DoubleLongUnsigned, values)))
        for stamp, status, *values in inputs.rows(inputs.LONG_ROWS)
    ]
    profile = ProfileGenericObject(
        inputs.PROFILE,
        capture_objects=[
            (8, "0.0.1.0.0.255", 2, 0),
            (1, "0.0.96.10.1.255", 2, 0),
            *((3, name, 2, 0) for name in counters),
        ],
        profile_entries=len(rows),
        buffer=rows,
    )
    status = DataObject("0.0.96.10.1.255", value=Unsigned(0))
    return LogicalDevice("COS1BENCH", objects=[ClockObject(), status, *registers, profile])


async def main() -> None:
    device, counters = meter(), VolatileCounterStore()
    for client in inputs.CIPHERED_CLIENTS:
        keys = {
            "guek": inputs.ENCRYPTION_KEY.hex(),
            "gak": inputs.AUTHENTICATION_KEY.hex(),
            "server_title": inputs.SERVER_TITLE.hex(),
            "client_title": inputs.title_of(client).hex(),
        }
        profile = secured_profile(
            AuthenticationMechanism.HLS_GMAC,
            keys,
            client_sap=client,
            counters=counters,
            allow_test_keys=True,
            max_receive_pdu_size=LONGEST_APDU,
            max_send_pdu_size=LONGEST_APDU,
        )
        device.add_association(profile, AccessRights.full())
    async with Server(device).listen("tcp://127.0.0.1:0") as server:
        print(urlsplit(server.address).port, flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
