"""dlms-cosem: runs in .venv-interop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import cycle
from typing import Any

import structlog
from dlms_cosem import cosem, dlms_data, enumerations, security, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.connection import DlmsConnection
from dlms_cosem.hdlc.address import HdlcAddress
from dlms_cosem.hdlc.frames import InformationFrame
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.protocol import xdlms
from dlms_cosem.protocol.xdlms.data_notification import DataNotification
from dlms_cosem.protocol.xdlms.general_global_cipher import GeneralGlobalCipher
from dlms_cosem.security import HighLevelSecurityGmacAuthentication, NoSecurityAuthentication

import inputs
from worker import Cases, serve

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
ATTRIBUTE = cosem.CosemAttribute(enumerations.CosemInterface.REGISTER, cosem.Obis.from_string(inputs.OBIS), 2)


def decode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    value = utils.parse_as_dlms_data(inputs.DATA)
    assert len(value) == inputs.ROWS
    assert value[5][2] == inputs.rows()[5][2]
    return lambda: utils.parse_as_dlms_data(inputs.DATA)


row_tuples = columns = decode_rows  # rows are all it has


def irregular_rows(_: dict[str, Any]) -> Callable[[], Any]:
    assert len(utils.parse_as_dlms_data(inputs.IRREGULAR)) == inputs.ROWS
    return lambda: utils.parse_as_dlms_data(inputs.IRREGULAR)


def client_profile(order: dict[str, Any]) -> Callable[[], Any]:
    name = cosem.Obis.from_string(inputs.PROFILE)
    attribute = cosem.CosemAttribute(enumerations.CosemInterface.PROFILE_GENERIC, name, 2)
    client = DlmsClient(
        TcpTransport(16, 1, BlockingTcpIO("127.0.0.1", order["port"])), NoSecurityAuthentication()
    )
    client.connect()
    client.associate()

    def read() -> Any:
        return utils.parse_as_dlms_data(client.get(attribute))

    assert len(read()) == inputs.LONG_ROWS
    return read


def encode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    value = dlms_data.DataArray(
        [
            dlms_data.DataStructure(
                [
                    dlms_data.OctetStringData(stamp),
                    dlms_data.UnsignedIntegerData(status),
                    *map(dlms_data.DoubleLongUnsignedData, counters),
                ]
            )
            for stamp, status, *counters in inputs.rows()
        ]
    )
    assert value.to_bytes() == inputs.DATA
    return value.to_bytes


def get_request(_: dict[str, Any]) -> Callable[[], Any]:
    def build() -> bytes:
        return bytes(xdlms.GetRequestNormal(cosem_attribute=ATTRIBUTE).to_bytes())

    assert len(build()) == len(inputs.GET_REQUEST)
    return build


def get_response(_: dict[str, Any]) -> Callable[[], Any]:
    def parse() -> Any:
        return utils.parse_as_dlms_data(xdlms.GetResponseNormal.from_bytes(inputs.GET_RESPONSE).data)

    assert parse() == inputs.VALUE
    return parse


def client_get(order: dict[str, Any]) -> Callable[[], Any]:
    transport = TcpTransport(16, 1, BlockingTcpIO("127.0.0.1", order["port"]))
    client = DlmsClient(transport, NoSecurityAuthentication())
    client.connect()
    client.associate()

    def get() -> Any:
        return utils.parse_as_dlms_data(client.get(ATTRIBUTE))

    assert get() == inputs.VALUE
    return get


def hdlc_frame(_: dict[str, Any]) -> Callable[[], Any]:
    client, server = HdlcAddress(16, None, "client"), HdlcAddress(1, 17, "server")
    last = len(inputs.HDLC_SEGMENTS) - 1

    def frame() -> bytes:
        return b"".join(
            InformationFrame(
                client,
                server,
                segment,
                send_sequence_number=number % 8,
                receive_sequence_number=1,
                segmented=number < last,
                final=True,
            ).to_bytes()
            for number, segment in enumerate(inputs.HDLC_SEGMENTS)
        )

    assert frame() == inputs.HDLC_FRAMES
    return frame


def hdlc_deframe(_: dict[str, Any]) -> Callable[[], Any]:
    frames, at = [], 0  # the library is given whole frames: it has no way of its own to find the end of one
    while at < len(inputs.HDLC_FRAMES):
        size = 2 + (int.from_bytes(inputs.HDLC_FRAMES[at + 1 : at + 3], "big") & 0x7FF)
        frames.append(inputs.HDLC_FRAMES[at : at + size])
        at += size

    def deframe() -> bytes:
        return b"".join(InformationFrame.from_bytes(frame).payload for frame in frames)

    assert deframe() == inputs.HDLC_MESSAGE
    return deframe


def protect(_: dict[str, Any]) -> Callable[[], Any]:
    """From an APDU to the ciphered APDU of its connection and back."""
    connection = DlmsConnection(
        client_system_title=inputs.CLIENT_TITLE,
        authentication=NoSecurityAuthentication(),
        global_encryption_key=inputs.ENCRYPTION_KEY,
        global_authentication_key=inputs.AUTHENTICATION_KEY,
    )
    connection.meter_system_title = inputs.CLIENT_TITLE
    connection.client_invocation_counter, connection.meter_invocation_counter = 1, 0
    request = xdlms.SetRequestNormal(
        cosem_attribute=ATTRIBUTE,
        data=bytes.fromhex("098203E8") + inputs.LONG_VALUE,
    )

    def there_and_back() -> Any:
        return connection.unprotect(connection.protect(request))

    assert there_and_back() == request
    return there_and_back


def push(_: dict[str, Any]) -> Callable[[], Any]:
    """From the octets of the APDU, known to be bare and ciphered so, to values without scalers applied."""
    messages = cycle(inputs.pushes())

    def decoded() -> Any:
        envelope = GeneralGlobalCipher.from_bytes(next(messages))
        plain = security.decrypt(
            security_control=envelope.security_control,
            system_title=envelope.system_title,
            invocation_counter=envelope.invocation_counter,
            key=inputs.ENCRYPTION_KEY,
            cipher_text=envelope.ciphered_text,
            auth_key=inputs.AUTHENTICATION_KEY,
        )
        return utils.parse_as_dlms_data(DataNotification.from_bytes(plain).body)

    assert decoded()[14][1:] == [1014, [-1, 27]]
    return decoded


def ciphered(order: dict[str, Any], number: int) -> DlmsClient:
    """Return a client with a ciphered association; it uses the general form."""
    client = DlmsClient(
        TcpTransport(number, 1, BlockingTcpIO("127.0.0.1", order["port"])),
        HighLevelSecurityGmacAuthentication(),
        encryption_key=inputs.ENCRYPTION_KEY,
        authentication_key=inputs.AUTHENTICATION_KEY,
        client_system_title=inputs.title_of(number),
        client_initial_invocation_counter=1,
        meter_initial_invocation_counter=-1,
    )
    client.dlms_connection.conformance.general_block_transfer = False
    client.connect()
    client.associate()
    return client


def ciphered_get(order: dict[str, Any]) -> Callable[[], Any]:
    client = ciphered(order, 5)

    def get() -> Any:
        return utils.parse_as_dlms_data(client.get(ATTRIBUTE))

    assert get() == inputs.VALUE
    return get


def ciphered_profile(order: dict[str, Any]) -> Callable[[], Any]:
    name = cosem.Obis.from_string(inputs.PROFILE)
    attribute = cosem.CosemAttribute(enumerations.CosemInterface.PROFILE_GENERIC, name, 2)
    client = ciphered(order, 6)

    def read() -> Any:
        return utils.parse_as_dlms_data(client.get(attribute))

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
    "push": push,
    "client_get": client_get,
    "ciphered_get": ciphered_get,
    "ciphered_profile": ciphered_profile,
}

if __name__ == "__main__":
    serve(CASES)
