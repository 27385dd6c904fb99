"""A pydlms-client client: reads a server over the TCP wrapper and reports what it saw."""

from __future__ import annotations

import argparse
import datetime
from typing import Any

from pydlms.apdu.xdlms import date_time_value, entry_descriptor, range_descriptor
from pydlms.client import DlmsClient
from pydlms.cosem.data import DlmsData
from pydlms.cosem.time import CosemDateTime
from pydlms.security.hls import Mechanism

from report import Report, arguments


def client_of(options: argparse.Namespace) -> DlmsClient:
    wanted = options.security
    facts: dict[str, Any] = {"mechanism": Mechanism(wanted.mechanism), "password": wanted.secret}
    return DlmsClient.tcp(
        "127.0.0.1", options.port, client_sap=options.client, server_logical=options.server, **facts
    )


class Reader:
    """The cases, with one open association."""

    def __init__(self, client: DlmsClient, plan: dict[str, Any], report: Report) -> None:
        self.client = client
        self.plan = plan
        self.report = report

    def read(self, class_id: int, name: str, number: int) -> Any:
        return self.client.get(name, class_id, number).to_python()

    def rows(self, selection: Any = None) -> list[list[Any]]:
        """Return rows of the profile as JSON can say them."""
        found = self.client.read_profile(self.plan["profile"], selection).rows
        return [[wall_clock(cell) if isinstance(cell, bytes) else cell for cell in row] for row in found]

    def briefly(self) -> None:
        plan, report = self.plan, self.report
        with report.case("identity") as result:
            result(self.read(1, plan["identity"], 2))
        for name in plan["registers"]:
            with report.case(f"register {name}") as result:
                found = self.client.get_register(name)
                result({"raw": found.raw, "scaler": found.scaler, "unit": int(found.unit)})
        with report.case("by entry") as result:
            result(self.rows(entry_descriptor(*plan["entries"])))

    def at_length(self) -> None:
        plan, report = self.plan, self.report
        with report.case("objects") as result:
            view = self.client.get_association_view()
            result([[each.class_id, str(each.logical_name), each.version] for each in view])
        with report.case("clock") as result:
            result(wall_clock(self.client.get(plan["clock"], 8, 2).to_python()))
        with report.case("list") as result:
            answers = self.client.get_many([(name, 3, 3) for name in plan["registers"]])
            result([each.to_python() for each in answers])
        with report.case("columns") as result:
            captured = self.read(7, plan["profile"], 3)
            result([[each[0], ".".join(map(str, each[1])), each[2]] for each in captured])
        with report.case("whole") as result:
            result(self.rows())
        with report.case("by range") as result:
            start, end = (date_time_value(datetime.datetime.fromisoformat(each)) for each in plan["range"])
            result(self.rows(range_descriptor(start, end)))
        with report.case("refusal") as result:
            try:
                self.read(1, plan["nothing"], 2)
            except Exception as error:  # noqa: BLE001 -- whatever the peer makes of the refusal
                result(str(error))

    def changing(self) -> None:
        plan, report = self.plan, self.report
        for case in ("write", "write in blocks"):
            with report.case(case) as result:
                seen = [self.read(1, plan["message"], 2)]
                for value in (bytes.fromhex(plan[case]), seen[0]):
                    self.client.set(plan["message"], 1, 2, DlmsData.octet_string(value))
                    seen.append(self.read(1, plan["message"], 2))
                result(seen)
        with report.case("method") as result:
            states = [self.read(70, plan["disconnect"], 2)]
            for method in (1, 2):
                self.client.action(plan["disconnect"], 70, method, DlmsData.int8(0))
                states.append(self.read(70, plan["disconnect"], 2))
            result(states)


def wall_clock(octets: bytes) -> str:
    """Return a date-time as the wall clock of the meter."""
    return CosemDateTime.from_bytes(octets).to_datetime().replace(tzinfo=None).isoformat()


def main() -> None:
    options, report = arguments(__doc__), Report()
    client = client_of(options)
    with report.case("open"):
        client.connect()
    if report.ok("open"):
        reader = Reader(client, options.plan, report)
        reader.briefly()
        if not options.brief:
            reader.at_length()
            reader.changing()
        with report.case("release"):
            client.association.release()
    client.link.disconnect()
    report.print()


if __name__ == "__main__":
    main()
