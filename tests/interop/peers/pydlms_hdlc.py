"""A pydlms-client client over HDLC: over TCP, on a serial port, or after a sign-on; reads, and reports what it saw."""

from __future__ import annotations

import argparse
import json

from pydlms.client import DlmsClient
from pydlms.hdlc.connection import HdlcParameters

from report import Report


def client_of(options: argparse.Namespace) -> DlmsClient:
    settings = {
        "client_sap": 16,
        "server_physical": options.physical,
        "address_size": options.size or None,
        "hdlc_parameters": HdlcParameters(options.info, options.info, options.window, options.window),
    }
    if options.sign_on:
        return DlmsClient.optical(options.where, **settings)
    if options.where.startswith("/"):
        return DlmsClient.serial(options.where, **settings)
    host, _, port = options.where.rpartition(":")
    return DlmsClient.tcp(host, int(port), hdlc=True, **settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where")
    parser.add_argument("--physical", type=int)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--info", type=int, default=128)
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--sign-on", action="store_true")
    options = parser.parse_args()

    report = Report()
    client = client_of(options)
    with report.case("open") as result:
        client.connect()
        result("opened")
    with report.case("register") as result:
        register = client.get_register("1.0.1.8.0.255")
        result({"value": register.raw, "scaler": 10**register.scaler, "unit": int(register.unit)})
    with report.case("objects") as result:
        view = client.get_association_view()
        result([[each.class_id, str(each.logical_name)] for each in view])
    with report.case("profile") as result:
        result(len(client.read_profile("1.0.99.1.0.255").rows))
    with report.case("release") as result:
        client.association.release()
        client.link.disconnect()
        result("released")
    print(json.dumps({"cases": report.cases}, default=str))


if __name__ == "__main__":
    main()
