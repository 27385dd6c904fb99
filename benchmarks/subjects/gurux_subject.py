"""gurux-dlms: runs in .venv-interop.

Its public interface builds and reads whole wrapper units, so the two GET cases hold the eight octets of the header
as well; the Data cases use the functions that the library itself uses for a value.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData, GXUInt8, GXUInt32
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.enums import Authentication, Command, Conformance, DataType, InterfaceType, Security
from gurux_dlms.GXArray import GXArray
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.GXStructure import GXStructure
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import GXDLMSProfileGeneric, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient

import inputs
from worker import Cases, serve


def client() -> GXDLMSClient:
    return GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)


def decode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    settings = client().settings

    def decode() -> Any:
        return _GXCommon.getData(settings, GXByteBuffer(inputs.DATA), _GXDataInfo())

    value = decode()
    assert len(value) == inputs.ROWS
    assert value[5][2] == inputs.rows()[5][2]
    return decode


row_tuples = columns = decode_rows  # rows are all it has


def irregular_rows(_: dict[str, Any]) -> Callable[[], Any]:
    settings = client().settings

    def decode() -> Any:
        return _GXCommon.getData(settings, GXByteBuffer(inputs.IRREGULAR), _GXDataInfo())

    assert len(decode()) == inputs.ROWS
    return decode


def client_profile(order: dict[str, Any]) -> Callable[[], Any]:
    session, profile = client(), GXDLMSProfileGeneric(inputs.PROFILE)
    line = socket.create_connection(("127.0.0.1", order["port"]))

    def exchange(message: Any, reply: GXReplyData) -> None:
        line.sendall(message)
        octets = GXByteBuffer(line.recv(65536))
        while not session.getData(octets, reply):
            octets.set(line.recv(65536))

    opening = GXReplyData()
    for message in session.aarqRequest():
        exchange(message, opening)
    session.parseAareResponse(opening.data)

    def read() -> Any:
        reply = GXReplyData()
        for message in session.read(profile, 2):
            exchange(message, reply)
        while reply.isMoreData():
            exchange(session.receiverReady(reply), reply)
        return reply.value

    assert len(read()) == inputs.LONG_ROWS
    return read


def encode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    settings = client().settings
    value = GXArray()
    for stamp, status, *counters in inputs.rows():
        row = GXStructure()
        row.append(stamp)
        row.append(GXUInt8(status))
        row.extend(GXUInt32(counter) for counter in counters)
        value.append(row)

    def encode() -> Any:
        buffer = GXByteBuffer()
        _GXCommon.setData(settings, buffer, DataType.ARRAY, value)
        return buffer

    assert bytes(encode().array()) == inputs.DATA
    return encode


def get_request(_: dict[str, Any]) -> Callable[[], Any]:
    session, register = client(), GXDLMSRegister(inputs.OBIS)
    assert len(session.read(register, 2)[0]) == 8 + len(inputs.GET_REQUEST)
    return lambda: session.read(register, 2)


def get_response(_: dict[str, Any]) -> Callable[[], Any]:
    session = client()
    unit = b"\x00\x01\x00\x01\x00\x10\x00" + bytes([len(inputs.GET_RESPONSE)]) + inputs.GET_RESPONSE

    def parse() -> Any:
        reply = GXReplyData()
        session.getData(unit, reply)
        return reply.value

    assert parse() == inputs.VALUE
    return parse


def client_get(order: dict[str, Any]) -> Callable[[], Any]:
    session, register = client(), GXDLMSRegister(inputs.OBIS)
    line = socket.create_connection(("127.0.0.1", order["port"]))

    def exchange(messages: Any) -> GXReplyData:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            line.sendall(message)
            session.getData(line.recv(4096), reply)
        return reply

    session.parseAareResponse(exchange(session.aarqRequest()).data)

    def get() -> Any:
        return session.updateValue(register, 2, exchange(session.read(register, 2)).value)

    assert get() == inputs.VALUE
    return get


def hdlc_client() -> GXDLMSClient:
    server = GXDLMSClient.getServerAddress(1, 17)
    session = GXDLMSClient(True, 16, server, Authentication.NONE, None, InterfaceType.HDLC)
    session.settings.checkFrame = lambda *_: True  # numbers are not followed: no RR has to be made in between
    return session


def hdlc_frame(_: dict[str, Any]) -> Callable[[], Any]:
    settings = hdlc_client().settings

    def frame() -> list[Any]:
        message, frames = GXByteBuffer(inputs.HDLC_MESSAGE), []
        while message.position < len(message):
            frames.append(GXDLMS.getHdlcFrame(settings, 0x30, message))
        return frames

    assert b"".join(bytes(made)[9:-3] for made in frame()) == inputs.HDLC_MESSAGE
    return frame


def hdlc_deframe(_: dict[str, Any]) -> Callable[[], Any]:
    session = hdlc_client()

    def deframe() -> Any:
        octets, reply = GXByteBuffer(inputs.HDLC_FRAMES), GXReplyData()
        while octets.position < len(octets):
            session.getData(octets, reply, None)
        return reply.value

    assert bytes(deframe()) == inputs.HDLC_MESSAGE[11:]
    return deframe


def protect(_: dict[str, Any]) -> Callable[[], Any]:
    """From the octets of an APDU to protected octets and back."""
    settings = GXDLMSSecureClient(True).settings
    request = bytes.fromhex("C101C100010100010800FF0200098203E8") + inputs.LONG_VALUE

    def parameters(command: int) -> AesGcmParameter:
        made = AesGcmParameter(
            command,
            bytearray(inputs.CLIENT_TITLE),
            bytearray(inputs.ENCRYPTION_KEY),
            bytearray(inputs.AUTHENTICATION_KEY),
        )
        made.security = Security.AUTHENTICATION_ENCRYPTION
        made.invocationCounter = 1
        return made

    def there_and_back() -> bytes:
        with redirect_stdout(None):  # which is the line to the driver, and it prints
            octets = GXDLMSChippering.encryptAesGcm(parameters(Command.GLO_SET_REQUEST), bytearray(request))
            return bytes(GXDLMSChippering.decryptAesGcm(settings, parameters(0), GXByteBuffer(octets)))

    assert there_and_back() == request
    return there_and_back


class Ciphered:
    """A client with a ciphered association, on a socket of ours."""

    def __init__(self, order: dict[str, Any], number: int) -> None:
        self.session = GXDLMSSecureClient(
            True, number, 1, Authentication.HIGH_GMAC, None, InterfaceType.WRAPPER
        )
        cipher = self.session.ciphering
        cipher.systemTitle = bytearray(inputs.title_of(number))
        cipher.blockCipherKey = bytearray(inputs.ENCRYPTION_KEY)
        cipher.authenticationKey = bytearray(inputs.AUTHENTICATION_KEY)
        cipher.invocationCounter = 1
        cipher.security = Security.AUTHENTICATION_ENCRYPTION
        self.session.proposedConformance &= ~Conformance.GENERAL_PROTECTION
        self.line = socket.create_connection(("127.0.0.1", order["port"]))
        self.session.parseAareResponse(self.exchange(self.session.aarqRequest()).data)
        proof = self.exchange(self.session.getApplicationAssociationRequest())
        self.session.parseApplicationAssociationResponse(proof.data)

    def _unit(self) -> bytes:
        octets = self.line.recv(65536)
        while len(octets) < 8 or len(octets) < 8 + int.from_bytes(octets[6:8], "big"):
            octets += self.line.recv(65536)
        return octets

    def exchange(self, messages: Any) -> GXReplyData:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            self.line.sendall(message)
            self.session.getData(self._unit(), reply)
        while reply.isMoreData():
            self.line.sendall(self.session.receiverReady(reply))
            self.session.getData(self._unit(), reply)
        return reply


def ciphered_get(order: dict[str, Any]) -> Callable[[], Any]:
    register = GXDLMSRegister(inputs.OBIS)
    with redirect_stdout(None):  # which is the line to the driver, and it prints
        ciphered = Ciphered(order, 7)

    def get() -> Any:
        with redirect_stdout(None):
            reply = ciphered.exchange(ciphered.session.read(register, 2))
            return ciphered.session.updateValue(register, 2, reply.value)

    assert get() == inputs.VALUE
    return get


def ciphered_profile(order: dict[str, Any]) -> Callable[[], Any]:
    profile = GXDLMSProfileGeneric(inputs.PROFILE)
    with redirect_stdout(None):
        ciphered = Ciphered(order, 8)

    def read() -> Any:
        with redirect_stdout(None):
            return ciphered.exchange(ciphered.session.read(profile, 2)).value

    assert len(read()) == inputs.LONG_ROWS
    return read


CASES: Cases = {
    "decode_rows": decode_rows,
    "encode_rows": encode_rows,
    "row_tuples": row_tuples,
    "irregular_rows": irregular_rows,
    "columns": columns,
    "client_profile": client_profile,
    "get_request": get_request,
    "get_response": get_response,
    "hdlc_frame": hdlc_frame,
    "hdlc_deframe": hdlc_deframe,
    "protect": protect,
    "client_get": client_get,
    "ciphered_get": ciphered_get,
    "ciphered_profile": ciphered_profile,
}

if __name__ == "__main__":
    serve(CASES)
