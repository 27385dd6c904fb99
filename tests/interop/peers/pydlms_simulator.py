"""The simulator of pydlms-client on a free port.

It prints its port, and then in JSON what it serves, each attribute in octets; it serves until its standard input ends.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from pydlms.apdu.xdlms import Conformance
from pydlms.cosem.data import DlmsData, encode_data
from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, MeterSimulator, example_meter, serve


def contents(meter: MeterSimulator) -> list[dict[str, Any]]:
    """Return the objects with the octets of their attributes."""
    return [
        {
            "class_id": int(class_id),
            "name": str(name),
            "version": meter.versions[class_id, name],
            "short": (class_id, name) in meter.base_names,
            "attributes": {
                number: encode_data(value).hex()
                for number, value in attributes.items()
                if isinstance(value, DlmsData)
            },
        }
        for (class_id, name), attributes in meter.objects.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=json.loads, default=[], help="more clients, with their security")
    parser.add_argument("--keys", type=json.loads, default={}, help="what a meter is made of, hexadecimal")
    options = parser.parse_args()
    keys = {name: bytes.fromhex(text) for name, text in options.keys.items()}
    meter = example_meter(**keys)
    meter.conformance |= Conformance.default_sn()  # it serves short names, too
    meter.clients[16] = ClientProfile(Mechanism.NONE)
    meter.clients[2] = ClientProfile(Mechanism.LLS, secret=b"12345678")
    for each in options.clients:
        secret = each["secret"].encode() if each["secret"] else None
        meter.clients[each["client"]] = ClientProfile(Mechanism(each["mechanism"]), secret, each["ciphered"])
    server = serve(meter)
    print(server.server_address[1], flush=True)
    print(json.dumps(contents(meter)), flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
