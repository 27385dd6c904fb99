"""Simulators of pydlms-client, on free ports.

Standard input has what is wanted on its first line, in JSON: for each meter its suite, what it asks of APDUs, its keys,
and the clients that it knows. Printed are the ports of each for the wrapper and for HDLC, and then what the first one
serves, each attribute in octets. They serve until standard input ends.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydlms.apdu.xdlms import Conformance
from pydlms.cosem.data import DlmsData, encode_data
from pydlms.security.context import SecurityContext
from pydlms.security.ec import curve_for_suite, load_public_key
from pydlms.security.general import GeneralAad
from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, MeterSimulator, example_meter, serve

KINDS = {"A": 0x10, "E": 0x20, "AE": 0x30}


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


def meter_of(wanted: dict[str, Any]) -> MeterSimulator:
    """Return a meter with its keys and clients."""
    keys = {name: bytes.fromhex(text) for name, text in wanted["keys"].items() if name != "suite"}
    suite = wanted["suite"]
    meter = example_meter(system_title=keys["server_title"])
    meter.conformance |= Conformance.default_sn()  # it serves short names, too
    meter.encryption_key, meter.authentication_key = keys["guek"], keys["gak"]
    pairs: dict[str, Any] = {}
    if suite:
        from cryptography.hazmat.primitives.asymmetric.ec import derive_private_key

        curve = curve_for_suite(suite)
        pairs = {
            "signing_key": derive_private_key(int.from_bytes(keys["signing"], "big"), curve),
            "key_agreement_key": derive_private_key(int.from_bytes(keys["key_agreement"], "big"), curve),
            "peer_signing_key": load_public_key(suite, keys["peer_signing"]),
            "peer_key_agreement_key": load_public_key(suite, keys["peer_key_agreement"]),
        }
        meter.signing_key = pairs["signing_key"]
    meter.security = SecurityContext(
        keys["guek"],
        keys["gak"],
        keys["server_title"],
        suite=suite,
        policy=KINDS[wanted["kinds"]],
        master_key=keys["kek"],
        general_aad=GeneralAad.WITH_HEADER,
        **pairs,
    )
    meter.clients[16] = ClientProfile(Mechanism.NONE)
    meter.clients[2] = ClientProfile(Mechanism.LLS, secret=b"12345678")
    for each in wanted["clients"]:
        secret = each["secret"].encode() if each["secret"] else None
        meter.clients[each["client"]] = ClientProfile(
            Mechanism(each["mechanism"]),
            secret,
            each["form"] != "clear",
            client_public_key=pairs.get("peer_signing_key"),
        )
    return meter


def main() -> None:
    meters = [meter_of(each) for each in json.loads(sys.stdin.readline())]
    servers = [(serve(meter), serve(meter, hdlc=True)) for meter in meters]
    print(json.dumps([[each.server_address[1] for each in pair] for pair in servers]), flush=True)
    print(json.dumps(contents(meters[0])), flush=True)
    sys.stdin.read()
    for pair in servers:
        for server in pair:
            server.shutdown()


if __name__ == "__main__":
    main()
