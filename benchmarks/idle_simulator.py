"""The simulator of pydlms-client, for measuring what idle sessions cost: prints its port, then serves.

It runs in the environment of the peers, and ends with its standard input.
"""

from __future__ import annotations

import sys

from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, example_meter, serve

if __name__ == "__main__":
    meter = example_meter()
    meter.clients[16] = ClientProfile(Mechanism.NONE)
    server = serve(meter)
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()
