"""The simulator of pydlms-client over HDLC on a free TCP port: prints it, and serves until its standard input ends."""

from __future__ import annotations

import argparse
import sys

from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, example_meter, serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=1)
    options = parser.parse_args()
    meter = example_meter()
    meter.clients[16] = ClientProfile(Mechanism.NONE)
    server = serve(meter, hdlc=True, hdlc_window=options.window)
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
