"""The simulator of pydlms-client on a free port: prints its port, then serves until its standard input ends."""

from __future__ import annotations

import sys

from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, example_meter, serve


def main() -> None:
    meter = example_meter()
    meter.clients[16] = ClientProfile(Mechanism.NONE)
    meter.clients[2] = ClientProfile(Mechanism.LLS, secret=b"12345678")
    server = serve(meter)
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
