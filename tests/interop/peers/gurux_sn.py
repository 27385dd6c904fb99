"""A gurux-dlms client that refers to objects by short names: reads a server and reports what it saw.

Requests and answers in blocks are left out.
"""

from __future__ import annotations

import argparse
from typing import Any

from gurux_dlms import GXDLMSClient
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSObject

from gurux_client import Session, octets, plain
from report import Report, arguments


class ShortNameSession(Session):
    """The session of the other script, by short names."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        self.client.useLogicalNameReferencing = False
        self.client.proposedConformance = GXDLMSClient.getInitialConformance(False)
        self.objects: Any = None

    def named(self, name: str) -> GXDLMSObject:
        """Return an object of the object list."""
        return next(each for each in self.objects if str(each.logicalName) == name)


def read(session: ShortNameSession, plan: dict[str, Any], report: Report) -> None:
    """Run the cases with an open association."""
    with report.case("objects") as result:
        reply = session.exchange(session.client.getObjectsRequest())
        session.objects = session.client.parseObjects(reply.data, onlyKnownObjects=False)
        result(
            [
                [each.shortName, int(each.objectType), each.version, str(each.logicalName)]
                for each in session.objects
            ]
        )
    if not report.ok("objects"):
        return
    with report.case("identity") as result:
        result(octets(session.read(session.named(plan["identity"]), 2)))
    for name in plan["registers"]:
        with report.case(f"register {name}") as result:
            register = session.named(name)
            raw = session.read(register, 2)
            scaler, unit = session.exchange(session.client.read(register, 3)).value
            result({"raw": raw, "scaler": scaler, "unit": unit})
    with report.case("list") as result:
        values: list[Any] = []
        for messages in session.client.readList([(session.named(name), 2) for name in plan["registers"]]):
            values += session.exchange(messages).value
        result(values)
    with report.case("clock") as result:
        clock = session.named(plan["clock"])
        session.read(clock, 2)
        result(plain(clock.time))
    profile = session.named(plan["profile"])
    with report.case("columns") as result:
        session.read(profile, 3)
        result(
            [
                [int(item.objectType), str(item.logicalName), to.attributeIndex]
                for item, to in profile.captureObjects
            ]
        )
    with report.case("by entry") as result:
        first, last = plan["entries"]
        result(session.rows(profile, session.client.readRowsByEntry(profile, first, last - first + 1)))
    with report.case("write") as result:
        message = session.named(plan["message"])
        before = octets(session.read(message, 2))
        seen = []
        for value in (bytes.fromhex(plan["write"]), before):
            message.value = value
            message.setDataType(2, DataType.OCTET_STRING)
            session.exchange(session.client.write(message, 2))
            seen.append(octets(session.read(message, 2)))
        result({"before": before, "written": seen[0], "restored": seen[1]})
    with report.case("methods") as result:
        control = session.named(plan["disconnect"])
        states = [session.read(control, 2)]
        for method in (1, 2):
            session.exchange(session.client.method(control, method, 0, DataType.INT8))
            states.append(session.read(control, 2))
        result([bool(state) for state in states])
    with report.case("refusal") as result:
        identity = session.named(plan["identity"])
        identity.value = b"another"
        identity.setDataType(2, DataType.OCTET_STRING)
        try:
            session.exchange(session.client.write(identity, 2))
        except RuntimeError as error:
            result(str(error))


def main() -> None:
    options = arguments(__doc__)
    report = Report()
    session = ShortNameSession(options)
    with report.case("open") as result:
        session.open()
        result({"pdu_size": session.client.maxReceivePDUSize})
    if report.ok("open"):
        read(session, options.plan, report)
        with report.case("release") as result:
            session.exchange(session.client.releaseRequest())
            result("released")
    session.socket.close()
    report.print()


if __name__ == "__main__":
    main()
