"""A dlms-cosem client over HDLC: over TCP or on a serial port; reads, and reports what it saw."""

from __future__ import annotations

import argparse
import json
import logging

import structlog
from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, SerialIO
from dlms_cosem.security import NoSecurityAuthentication

from report import Report


def attribute(class_id: int, name: str, number: int) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(enumerations.CosemInterface(class_id), cosem.Obis.from_string(name), number)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where")
    parser.add_argument("--physical", type=int)
    options = parser.parse_args()
    if options.where.startswith("/"):
        line = SerialIO(options.where, timeout=20)
    else:
        host, _, port = options.where.rpartition(":")
        line = BlockingTcpIO(host, int(port), timeout=20)
    transport = HdlcTransport(16, 1, line, server_physical_address=options.physical)
    client = DlmsClient(transport, NoSecurityAuthentication())
    # Blocks are those of the services here.
    client.dlms_connection.conformance.general_block_transfer = False

    report = Report()
    with report.case("open") as result:
        client.connect()
        client.associate()
        result("opened")
    with report.case("register") as result:
        scaler, unit = utils.parse_as_dlms_data(client.get(attribute(3, "1.0.1.8.0.255", 3)))
        value = utils.parse_as_dlms_data(client.get(attribute(3, "1.0.1.8.0.255", 2)))
        result({"value": value, "scaler": 10**scaler, "unit": unit})
    with report.case("objects") as result:
        objects = utils.parse_as_dlms_data(client.get(attribute(15, "0.0.40.0.0.255", 2)))
        result([[each[0], ".".join(map(str, each[2]))] for each in objects])
    with report.case("release") as result:
        client.release_association()
        client.disconnect()
        result("released")
    print(json.dumps({"cases": report.cases}, default=str))


if __name__ == "__main__":
    main()
