"""A gurux-dlms client: reads a server over the TCP wrapper and reports what it saw."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import socket
import sys
from typing import Any

from gurux_dlms import GXReplyData
from gurux_dlms.enums import Authentication, Conformance, DataType, InterfaceType, ObjectType, RequestTypes
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSObject, GXDLMSProfileGeneric, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient

from report import Report, arguments


class Session:
    """A client of gurux-dlms on a socket of ours: the library makes and reads octets, we carry them."""

    def __init__(self, options: argparse.Namespace) -> None:
        wanted = options.security
        self.client = GXDLMSSecureClient(
            True,
            options.client,
            options.server,
            Authentication(wanted.mechanism),
            wanted.secret,
            InterfaceType.WRAPPER,
        )
        self.client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
        self.socket = socket.create_connection(("127.0.0.1", options.port), timeout=20)

    def unit(self) -> bytes:
        """Return one wrapper unit, header included."""
        header = self._exactly(8)
        return header + self._exactly(int.from_bytes(header[6:8], "big"))

    def _exactly(self, size: int) -> bytes:
        octets = b""
        while len(octets) < size:
            part = self.socket.recv(size - len(octets))
            if not part:
                raise ConnectionError("the server closed the connection")
            octets += part
        return octets

    def exchange(self, messages: Any) -> GXReplyData:
        """Send the messages, follow block transfer to its end, and return the reply."""
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            reply.clear()
            self.socket.sendall(message)
            self.client.getData(self.unit(), reply)
            while reply.isMoreData():
                if reply.moreData & RequestTypes.DATABLOCK:
                    self.socket.sendall(self.client.receiverReady(reply))
                self.client.getData(self.unit(), reply)
        if reply.error:
            raise RuntimeError(f"the server answered with error {reply.error}")
        return reply

    def open(self) -> None:
        """Open the association."""
        self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)

    def read(self, item: GXDLMSObject, attribute: int) -> Any:
        reply = self.exchange(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def rows(self, profile: GXDLMSProfileGeneric, request: Any) -> list[list[Any]]:
        reply = self.exchange(request)
        profile.buffer = []
        self.client.updateValue(profile, 2, reply.value)
        return [[plain(cell) for cell in row] for row in profile.buffer]


class Reader:
    """The cases, with one open association."""

    def __init__(self, session: Session, plan: dict[str, Any], report: Report) -> None:
        self.session = session
        self.plan = plan
        self.report = report
        self.profile = GXDLMSProfileGeneric(plan["profile"])

    def briefly(self) -> None:
        plan, report, session = self.plan, self.report, self.session
        with report.case("identity") as result:
            result(octets(session.read(GXDLMSData(plan["identity"]), 2)))
        for name in plan["registers"]:
            with report.case(f"register {name}") as result:
                register = GXDLMSRegister(name)
                raw = session.read(register, 2)  # the scaler is not known yet
                scaler, unit = session.exchange(session.client.read(register, 3)).value
                result({"raw": raw, "scaler": scaler, "unit": unit})
        with report.case("columns") as result:
            session.read(self.profile, 3)
            result(
                [
                    [int(item.objectType), str(item.logicalName), to.attributeIndex]
                    for item, to in self.profile.captureObjects
                ]
            )
        with report.case("by entry") as result:
            first, last = plan["entries"]
            request = session.client.readRowsByEntry(self.profile, first, last - first + 1)
            result(session.rows(self.profile, request))

    def at_length(self) -> None:
        plan, report, session = self.plan, self.report, self.session
        with report.case("objects") as result:
            reply = session.exchange(session.client.getObjectsRequest())
            objects = session.client.parseObjects(reply.data, onlyKnownObjects=False)
            result([[int(each.objectType), str(each.logicalName), each.version] for each in objects])
        with report.case("clock") as result:
            clock = GXDLMSClock(plan["clock"])
            session.read(clock, 2)
            result(plain(clock.time))
        with report.case("list") as result:
            values = []
            registers = [(GXDLMSRegister(name), 3) for name in plan["registers"]]
            for messages in session.client.readList(registers):
                values += session.exchange(messages).value
            result([list(each) for each in values])
        with report.case("whole") as result:
            result(session.rows(self.profile, session.client.read(self.profile, 2)))
        with report.case("by range") as result:
            start, end = map(datetime.datetime.fromisoformat, plan["range"])
            result(session.rows(self.profile, session.client.readRowsByRange(self.profile, start, end)))
        with report.case("refusal") as result:
            try:
                session.read(GXDLMSData(plan["nothing"]), 2)
            except Exception as error:  # noqa: BLE001 -- whatever the peer makes of the refusal
                result(str(error))

    def changing(self) -> None:
        plan, report, session = self.plan, self.report, self.session
        for case in ("write", "write in blocks"):
            with report.case(case) as result:
                item = GXDLMSData(plan["message"])
                seen = [octets(session.read(item, 2))]
                for value in (bytes.fromhex(plan[case]), seen[0]):
                    item.value = value
                    item.setDataType(2, DataType.OCTET_STRING)
                    session.exchange(session.client.write(item, 2))
                    seen.append(octets(session.read(item, 2)))
                result(seen)
        with report.case("method") as result:
            control = session.client.createObject(ObjectType.DISCONNECT_CONTROL)
            control.logicalName = plan["disconnect"]
            states = [session.read(control, 2)]
            for method in (1, 2):
                session.exchange(session.client.method(control, method, 0, DataType.INT8))
                states.append(session.read(control, 2))
            result([bool(state) for state in states])


def plain(cell: Any) -> Any:
    """Return a cell of a buffer as what JSON can say; date-times as the wall clock of the meter."""
    value = getattr(cell, "value", cell)
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat()
    return bytes(value).hex() if isinstance(value, (bytes, bytearray)) else value


def octets(value: Any) -> bytes:
    """Return an octet-string, which may have come as text."""
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def main() -> None:
    options, report = arguments(__doc__), Report()
    with contextlib.redirect_stdout(sys.stderr):  # the library prints
        session = Session(options)
        with report.case("open"):
            session.open()
        if report.ok("open"):
            reader = Reader(session, options.plan, report)
            reader.briefly()
            if not options.brief:
                reader.at_length()
                reader.changing()
            with report.case("release"):
                session.exchange(session.client.releaseRequest())
        session.socket.close()
    report.print()


if __name__ == "__main__":
    main()
