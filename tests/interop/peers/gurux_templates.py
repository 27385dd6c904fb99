"""A gurux-dlms client that reads all of a meter: object list, every attribute of every object, profiles by every way."""

from __future__ import annotations

import argparse
import datetime
from typing import Any

from gurux_dlms.objects import GXDLMSProfileGeneric

from gurux_client import Session
from gurux_sn import ShortNameSession
from report import Report, arguments


class Reader:
    """The cases, with one open association."""

    def __init__(self, session: Any, plan: dict[str, Any], report: Report) -> None:
        self.session = session
        self.plan = plan
        self.report = report

    def everything(self) -> None:
        session, report = self.session, self.report
        with report.case("objects") as result:
            reply = session.exchange(session.client.getObjectsRequest())
            session.objects = session.client.parseObjects(reply.data, onlyKnownObjects=False)
            result([[int(each.objectType), each.version, str(each.logicalName)] for each in session.objects])
        if not report.ok("objects"):
            return
        for each in session.objects:
            for number in self.plan["attributes"][f"{int(each.objectType)} {each.logicalName}"]:
                with report.case(f"{each.logicalName} {number}") as result:
                    result(self.octets(each, number))
        for each in session.objects:
            if isinstance(each, GXDLMSProfileGeneric) and str(each.logicalName) in self.plan["profiles"]:
                self.profile(each)

    def octets(self, item: Any, number: int) -> str:
        """Return an attribute as it came."""
        reply = self.session.exchange(self.session.client.read(item, number))
        return bytes(reply.data.array()).hex()

    def profile(self, item: Any) -> None:
        session, report = self.session, self.report
        name = str(item.logicalName)
        with report.case(f"{name} columns") as result:
            session.read(item, 3)
            captured = [
                [int(each.objectType), str(each.logicalName), to.attributeIndex]
                for each, to in item.captureObjects
            ]
            result(captured)
        with report.case(f"{name} by entry") as result:
            result(session.rows(item, session.client.readRowsByEntry(item, 1, 3)))
        first, last = map(datetime.datetime.fromisoformat, self.plan["range"])
        with report.case(f"{name} by range") as result:
            result(session.rows(item, session.client.readRowsByRange(item, first, last)))


def main(options: argparse.Namespace) -> None:
    """Read what the plan says, and print it."""
    report = Report()
    with report.case("open") as result:
        session = (ShortNameSession if options.plan["short_names"] else Session)(options)
        session.open()
        result(None)
    if report.ok("open"):
        Reader(session, options.plan, report).everything()
    report.print()


if __name__ == "__main__":
    main(arguments("gurux-dlms client that reads a whole meter"))
