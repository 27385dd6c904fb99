"""A dlms-cosem client: reads a server over the TCP wrapper and reports what it saw."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import structlog
from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.protocol import xdlms
from dlms_cosem.security import LowLevelSecurityAuthentication, NoSecurityAuthentication
from dlms_cosem.time import datetime_from_bytes

from report import Report, arguments


class Entries:
    """An entry descriptor (selector 2) in octets: this release of the peer has the class, but not its encoding."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last

    def to_bytes(self) -> bytes:
        return b"\x02\x02\x04" + b"".join(
            kind(value).to_bytes()
            for kind, value in (
                (dlms_data.DoubleLongUnsignedData, self.first),
                (dlms_data.DoubleLongUnsignedData, self.last),
                (dlms_data.UnsignedLongData, 1),
                (dlms_data.UnsignedLongData, 0),
            )
        )


def attribute(class_id: int, name: str, number: int) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(enumerations.CosemInterface(class_id), cosem.Obis.from_string(name), number)


def wall_clock(octets: bytes) -> str:
    """Return a date-time as the wall clock of the meter."""
    value, _ = datetime_from_bytes(bytes(octets))
    return value.replace(tzinfo=None).isoformat()


def plain_rows(rows: list[list[Any]]) -> list[list[Any]]:
    """Return the rows of a buffer as JSON can say them."""
    return [
        [
            wall_clock(cell) if isinstance(cell, (bytes, bytearray)) and len(cell) == 12 else cell
            for cell in row
        ]
        for row in rows
    ]


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    options = arguments(__doc__)
    plan, report = options.plan, Report()
    transport = TcpTransport(
        options.client, options.server, BlockingTcpIO("127.0.0.1", options.port, timeout=20)
    )
    authentication = (
        LowLevelSecurityAuthentication(options.password.encode())
        if options.password
        else NoSecurityAuthentication()
    )
    client = DlmsClient(transport, authentication)

    def read(class_id: int, name: str, number: int, selection: Any = None) -> Any:
        return utils.parse_as_dlms_data(client.get(attribute(class_id, name, number), selection))

    with report.case("open") as result:
        client.connect()
        client.associate()
        result({"pdu_size": client.dlms_connection.max_pdu_size})

    with report.case("object_list") as result:
        entries = read(15, "0.0.40.0.0.255", 2)
        result([[each[0], ".".join(map(str, each[2])), each[1]] for each in entries])

    for name in plan["registers"]:
        with report.case(f"register {name}") as result:
            scaler, unit = read(3, name, 3)
            result({"value": read(3, name, 2), "scaler": 10**scaler, "unit": unit})

    with report.case("clock") as result:
        result(wall_clock(read(8, plan["clock"], 2)))

    with report.case("profile columns") as result:
        captured = read(7, plan["profile"], 3)
        columns = [[each[0], ".".join(map(str, each[1])), each[2]] for each in captured]
        result(
            {
                "columns": columns,
                "period": read(7, plan["profile"], 4),
                "entries": read(7, plan["profile"], 7),
            }
        )
    with report.case("profile whole") as result:
        result(plain_rows(read(7, plan["profile"], 2)))
    with report.case("profile by entry") as result:
        selection = Entries(plan["from_entry"], plan["from_entry"] + plan["entries"] - 1)
        result(plain_rows(read(7, plan["profile"], 2, selection)))
    if plan.get("from_time"):
        with report.case("profile by range") as result:
            start, end = (datetime.datetime.fromisoformat(plan[name]) for name in ("from_time", "to_time"))
            selection = RangeDescriptor(CaptureObject(attribute(8, plan["clock"], 2)), start, end)
            result(plain_rows(read(7, plan["profile"], 2, selection)))

    with report.case("write and read back") as result:
        name = plan["write"]["name"]
        kind = getattr(dlms_data, plan["write"]["dlms_cosem_type"])
        before = read(1, name, 2)
        seen = []
        for value in (plan["write"]["value"], before):
            answer = client.set(attribute(1, name, 2), kind(value).to_bytes())
            if answer.result is not enumerations.DataAccessResult.SUCCESS:
                raise RuntimeError(f"set answered {answer.result}")
            seen.append(read(1, name, 2))
        result({"before": before, "written": seen[0], "restored": seen[1]})

    with report.case("list") as result:
        wanted = [
            cosem.CosemAttributeWithSelection(attribute(3, name, 2), None) for name in plan["registers"]
        ]
        answer = client.get_many(wanted)
        if not isinstance(answer, xdlms.GetResponseWithList):
            raise TypeError(f"a list was asked for, {type(answer).__name__} came")
        result(answer.result)

    with report.case("refusal") as result:
        try:
            read(1, "0.0.199.99.99.255", 2)
        except Exception as error:  # noqa: BLE001 -- whatever the peer makes of the refusal
            result(str(error))

    with report.case("method") as result:
        states = [read(70, plan["disconnect"], 2)]
        for method in (1, 2):
            target = cosem.CosemMethod(
                enumerations.CosemInterface(70), cosem.Obis.from_string(plan["disconnect"]), method
            )
            client.action(target, dlms_data.IntegerData(0).to_bytes())
            states.append(read(70, plan["disconnect"], 2))
        result([bool(state) for state in states])

    with report.case("release") as result:
        answer = client.release_association()
        result(type(answer).__name__)
    client.disconnect()
    report.print()


if __name__ == "__main__":
    main()
