"""A gurux-dlms client: reads a server over the TCP wrapper and reports what it saw."""

from __future__ import annotations

import datetime
import socket
from typing import Any

from gurux_dlms import GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType, ObjectType, RequestTypes
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSObject, GXDLMSProfileGeneric, GXDLMSRegister

from report import Report, arguments


class Session:
    """A client of gurux-dlms on a socket of ours: the library makes and reads octets, we carry them."""

    def __init__(self, port: int, client: int, server: int, password: str | None) -> None:
        authentication = Authentication.LOW if password else Authentication.NONE
        self.client = GXDLMSClient(True, client, server, authentication, password, InterfaceType.WRAPPER)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

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
        reply = self.exchange(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)

    def read(self, item: GXDLMSObject, attribute: int) -> Any:
        reply = self.exchange(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def rows(self, profile: GXDLMSProfileGeneric, request: Any) -> list[list[Any]]:
        reply = self.exchange(request)
        self.client.updateValue(profile, 2, reply.value)
        return [[_plain(cell) for cell in row] for row in profile.buffer]


def _plain(cell: Any) -> Any:
    """Return a cell of a buffer as what JSON can say; date-times as the wall clock of the meter."""
    value = getattr(cell, "value", cell)
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat()
    return bytes(value).hex() if isinstance(value, (bytes, bytearray)) else value


def main() -> None:
    options = arguments(__doc__)
    plan, report = options.plan, Report()
    session = Session(options.port, options.client, options.server, options.password)

    with report.case("open") as result:
        session.open()
        result({"pdu_size": session.client.maxReceivePDUSize})

    with report.case("object_list") as result:
        reply = session.exchange(session.client.getObjectsRequest())
        objects = session.client.parseObjects(reply.data, onlyKnownObjects=False)
        result([[int(each.objectType), str(each.logicalName), each.version] for each in objects])

    for name in plan["registers"]:
        with report.case(f"register {name}") as result:
            register = GXDLMSRegister(name)
            session.read(register, 3)
            session.read(register, 2)
            result({"value": register.value, "scaler": register.scaler, "unit": int(register.unit)})

    with report.case("clock") as result:
        clock = GXDLMSClock(plan["clock"])
        session.read(clock, 2)
        result(_plain(clock.time))

    profile = GXDLMSProfileGeneric(plan["profile"])
    with report.case("profile columns") as result:
        session.read(profile, 3)
        session.read(profile, 4)
        session.read(profile, 7)
        columns = [
            [int(item.objectType), str(item.logicalName), to.attributeIndex]
            for item, to in profile.captureObjects
        ]
        result({"columns": columns, "period": profile.capturePeriod, "entries": profile.entriesInUse})
    with report.case("profile whole") as result:
        result(session.rows(profile, session.client.read(profile, 2)))
    with report.case("profile by entry") as result:
        result(
            session.rows(
                profile, session.client.readRowsByEntry(profile, plan["from_entry"], plan["entries"])
            )
        )
    if plan.get("from_time"):
        with report.case("profile by range") as result:
            start, end = (datetime.datetime.fromisoformat(plan[name]) for name in ("from_time", "to_time"))
            result(session.rows(profile, session.client.readRowsByRange(profile, start, end)))

    with report.case("write and read back") as result:
        item = GXDLMSData(plan["write"]["name"])
        before = session.read(item, 2)
        kind = DataType[plan["write"]["gurux_type"]]
        seen = []
        for value in (plan["write"]["value"], before):
            item.value = value
            item.setDataType(2, kind)
            session.exchange(session.client.write(item, 2))
            seen.append(session.read(item, 2))
        result({"before": before, "written": seen[0], "restored": seen[1]})

    with report.case("list") as result:
        registers = [GXDLMSRegister(name) for name in plan["registers"]]
        values = []
        for messages in session.client.readList([(each, 2) for each in registers]):
            values += session.exchange(messages).value
        result(values)

    with report.case("refusal") as result:
        try:
            session.read(GXDLMSData("0.0.199.99.99.255"), 2)
        except Exception as error:  # noqa: BLE001 -- whatever the peer makes of the refusal
            result(str(error))

    with report.case("method") as result:
        control = session.client.createObject(ObjectType.DISCONNECT_CONTROL)
        control.logicalName = plan["disconnect"]
        states = [session.read(control, 2)]
        for method in (1, 2):
            session.exchange(session.client.method(control, method, 0, DataType.INT8))
            states.append(session.read(control, 2))
        result([bool(state) for state in states])

    with report.case("release") as result:
        session.exchange(session.client.releaseRequest())
        result("released")
    session.socket.close()
    report.print()


if __name__ == "__main__":
    main()
