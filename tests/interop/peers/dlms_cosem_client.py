"""A dlms-cosem client: reads a server over the TCP wrapper and reports what it saw."""

from __future__ import annotations

import argparse
import datetime
import logging
from typing import Any

import structlog
from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.protocol import acse, xdlms
from dlms_cosem.security import LowLevelSecurityAuthentication, NoSecurityAuthentication
from dlms_cosem.time import datetime_from_bytes

from report import Report, arguments


def client_of(options: argparse.Namespace) -> DlmsClient:
    wanted = options.security
    authentication: Any = NoSecurityAuthentication()
    if wanted.mechanism == 1:
        authentication = LowLevelSecurityAuthentication(wanted.secret.encode())
    line = BlockingTcpIO("127.0.0.1", options.port, timeout=20)
    transport = TcpTransport(options.client, options.server, line)
    return DlmsClient(transport, authentication)


class Entries:
    """An entry descriptor (selector 2) in octets: the peer's client takes any object that makes them."""

    def __init__(self, first: int, last: int) -> None:
        self.values = (
            dlms_data.DoubleLongUnsignedData(first),
            dlms_data.DoubleLongUnsignedData(last),
            dlms_data.UnsignedLongData(1),
            dlms_data.UnsignedLongData(0),
        )

    def to_bytes(self) -> bytes:
        return b"\x02\x02\x04" + b"".join(bytes(value.to_bytes()) for value in self.values)


def attribute(class_id: int, name: str, number: int) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(enumerations.CosemInterface(class_id), cosem.Obis.from_string(name), number)


class Reader:
    """The cases, with one open association."""

    def __init__(self, client: DlmsClient, plan: dict[str, Any], report: Report) -> None:
        self.client = client
        self.plan = plan
        self.report = report

    def read(self, class_id: int, name: str, number: int, selection: Any = None) -> Any:
        return utils.parse_as_dlms_data(self.client.get(attribute(class_id, name, number), selection))

    def rows(self, selection: Any = None) -> list[list[Any]]:
        """Return rows of the profile as JSON can say them."""
        found = self.read(7, self.plan["profile"], 2, selection)
        return [[wall_clock(row[0]), *row[1:]] for row in found]

    def briefly(self) -> None:
        plan, report = self.plan, self.report
        with report.case("identity") as result:
            result(bytes(self.read(1, plan["identity"], 2)))
        for name in plan["registers"]:
            with report.case(f"register {name}") as result:
                scaler, unit = self.read(3, name, 3)
                result({"raw": self.read(3, name, 2), "scaler": scaler, "unit": unit})
        with report.case("by entry") as result:
            result(self.rows(Entries(*plan["entries"])))

    def at_length(self) -> None:
        plan, report = self.plan, self.report
        with report.case("objects") as result:
            entries = self.read(15, "0.0.40.0.0.255", 2)
            result([[each[0], ".".join(map(str, each[2])), each[1]] for each in entries])
        with report.case("clock") as result:
            result(wall_clock(self.read(8, plan["clock"], 2)))
        with report.case("list") as result:
            wanted = [
                cosem.CosemAttributeWithSelection(attribute(3, name, 3), None) for name in plan["registers"]
            ]
            answer = self.client.get_many(wanted)
            if not isinstance(answer, xdlms.GetResponseWithList):
                raise TypeError(f"a list was asked for, {type(answer).__name__} came")
            result(
                [
                    utils.parse_as_dlms_data(bytes(each)) if isinstance(each, bytes) else each
                    for each in answer.result
                ]
            )
        with report.case("columns") as result:
            captured = self.read(7, plan["profile"], 3)
            result([[each[0], ".".join(map(str, each[1])), each[2]] for each in captured])
        with report.case("whole") as result:
            result(self.rows())
        with report.case("by range") as result:
            start, end = map(datetime.datetime.fromisoformat, plan["range"])
            result(self.rows(RangeDescriptor(CaptureObject(attribute(8, plan["clock"], 2)), start, end)))
        with report.case("refusal") as result:
            try:
                self.read(1, plan["nothing"], 2)
            except Exception as error:  # noqa: BLE001 -- whatever the peer makes of the refusal
                result(str(error))

    def changing(self) -> None:
        plan, report = self.plan, self.report
        for case in ("write", "write in blocks"):
            with report.case(case) as result:
                seen = [bytes(self.read(1, plan["message"], 2))]
                for value in (bytes.fromhex(plan[case]), seen[0]):
                    encoded = dlms_data.OctetStringData(value).to_bytes()
                    answer = self.client.set(attribute(1, plan["message"], 2), encoded)
                    if answer.result is not enumerations.DataAccessResult.SUCCESS:
                        raise RuntimeError(f"set answered {answer.result}")
                    seen.append(bytes(self.read(1, plan["message"], 2)))
                result(seen)
        with report.case("method") as result:
            states = [self.read(70, plan["disconnect"], 2)]
            for method in (1, 2):
                target = cosem.CosemMethod(
                    enumerations.CosemInterface(70), cosem.Obis.from_string(plan["disconnect"]), method
                )
                self.client.action(target, dlms_data.IntegerData(0).to_bytes())
                states.append(self.read(70, plan["disconnect"], 2))
            result([bool(state) for state in states])


def wall_clock(octets: bytes) -> str:
    """Return a date-time as the wall clock of the meter."""
    value, _ = datetime_from_bytes(bytes(octets))
    return value.replace(tzinfo=None).isoformat()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    options, report = arguments(__doc__), Report()
    client = None
    with report.case("open"):
        client = client_of(options)
        client.connect()
        client.associate()
    if client is not None and report.ok("open"):
        reader = Reader(client, options.plan, report)
        reader.briefly()
        if not options.brief:
            reader.at_length()
            reader.changing()
        with report.case("release"):
            answer = client.release_association()
            if not isinstance(answer, acse.ReleaseResponse):
                raise TypeError(f"not released: {answer}")
    if client is not None:
        client.disconnect()
    report.print()


if __name__ == "__main__":
    main()
