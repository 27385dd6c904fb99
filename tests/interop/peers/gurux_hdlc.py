"""A gurux-dlms client over HDLC: sets up a link over TCP or on a serial port, reads, and reports what it saw.

The library makes and reads octets, this script carries them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
from typing import Any

import serial
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSProfileGeneric, GXDLMSRegister

from report import Report


class Tcp:
    """Octets over TCP."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=20)

    def write(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def read(self) -> bytes:
        return self._socket.recv(4096)


class Port:
    """Octets of a serial port."""

    def __init__(self, name: str) -> None:
        self._port = serial.Serial(name, 9600, timeout=20)

    def write(self, octets: bytes) -> None:
        self._port.write(octets)

    def read(self) -> bytes:
        return self._port.read(max(1, self._port.in_waiting))

    def sign_on(self) -> str:
        """Sign on in mode E, and return the identification."""
        self._port.write(b"/?!\r\n")
        identification = self._port.readline().decode()
        select = b"\x062" + identification[4].encode() + b"2\r\n"
        self._port.write(select)
        if self._port.readline() != select:
            raise ConnectionError("the option select was not confirmed")
        return identification.strip()


class Session:
    """A client of gurux-dlms on such octets."""

    def __init__(self, line: Tcp | Port, options: argparse.Namespace) -> None:
        self.line = line
        self.frames: list[str] = []
        client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.HDLC)
        if options.physical is not None:
            client.serverAddress = GXDLMSClient.getServerAddress(1, options.physical, options.size)
            client.serverAddressSize = options.size
        client.hdlcSettings.maxInfoRX = client.hdlcSettings.maxInfoTX = options.info
        client.hdlcSettings.windowSizeRX = client.hdlcSettings.windowSizeTX = options.window
        self.client = client

    def exchange(self, messages: Any) -> GXReplyData:
        """Send messages, follow segments and blocks to their end, and return the reply."""
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            reply.clear()
            self._packet(message, reply)
            while reply.isMoreData():
                self._packet(None if reply.isStreaming() else self.client.receiverReady(reply), reply)
        if reply.error:
            raise RuntimeError(f"the server answered with error {reply.error}")
        return reply

    def _packet(self, message: Any, reply: GXReplyData) -> None:
        if message:
            self.frames.append(f"> {bytes(message).hex(' ')}")
            self.line.write(bytes(message))
        received, notification = GXByteBuffer(), GXReplyData()
        while True:
            octets = self.line.read()
            if not octets:
                raise ConnectionError("the server closed the connection, or is silent")
            self.frames.append(f"< {octets.hex(' ')}")
            received.set(octets)
            if self.client.getData(received, reply, notification):
                return

    def open(self) -> dict[str, Any]:
        reply = self.exchange(self.client.snrmRequest())
        self.client.parseUAResponse(reply.data)
        agreed = self.client.hdlcSettings
        reply = self.exchange(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)
        return {
            "max_info": [agreed.maxInfoTX, agreed.maxInfoRX],
            "window": [agreed.windowSizeTX, agreed.windowSizeRX],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where")
    parser.add_argument("--physical", type=int)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--info", type=int, default=128)
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--sign-on", action="store_true")
    parser.add_argument("--profile", default="1.0.99.1.0.255")
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):  # the library prints what it finds wrong
        said = run(options)
    print(json.dumps(said, default=str))


def run(options: argparse.Namespace) -> dict[str, Any]:
    report = Report()
    line = Port(options.where) if options.where.startswith("/") else Tcp(options.where)
    session = Session(line, options)
    if options.sign_on:
        with report.case("sign-on") as result:
            result(line.sign_on())
    with report.case("open") as result:
        result(session.open())
    with report.case("register") as result:
        register = GXDLMSRegister("1.0.1.8.0.255")
        for attribute in (3, 2):
            reply = session.exchange(session.client.read(register, attribute))
            session.client.updateValue(register, attribute, reply.value)
        result({"value": register.value, "scaler": register.scaler, "unit": int(register.unit)})
    with report.case("objects") as result:
        reply = session.exchange(session.client.getObjectsRequest())
        objects = session.client.parseObjects(reply.data, onlyKnownObjects=False)
        result([[int(each.objectType), str(each.logicalName)] for each in objects])
    with report.case("profile") as result:
        profile = GXDLMSProfileGeneric(options.profile)
        for attribute in (3, 2):
            reply = session.exchange(session.client.read(profile, attribute))
            session.client.updateValue(profile, attribute, reply.value)
        result(len(profile.buffer))
    with report.case("release") as result:
        session.exchange(session.client.disconnectRequest())
        result("released")
    return {"cases": report.cases, "frames": session.frames}


if __name__ == "__main__":
    main()
