"""pydlms-client: runs in .venv-interop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydlms.apdu import xdlms
from pydlms.client import DlmsClient
from pydlms.cosem.data import DlmsData, decode_data, encode_data
from pydlms.hdlc.address import HdlcAddress
from pydlms.hdlc.framing import FrameReader, HdlcFrame, control_i, encode_frame
from pydlms.obis import ObisCode
from pydlms.security.ciphering import unwrap, wrap
from pydlms.security.context import SecurityContext
from pydlms.security.hls import Mechanism

import inputs
from worker import Cases, serve


def decode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    def decode() -> Any:
        return decode_data(inputs.DATA)[0].to_python()

    value = decode()
    assert len(value) == inputs.ROWS
    assert value[5][2] == inputs.rows()[5][2]
    return decode


row_tuples = columns = decode_rows  # rows are all it has


def irregular_rows(_: dict[str, Any]) -> Callable[[], Any]:
    def decode() -> Any:
        return decode_data(inputs.IRREGULAR)[0].to_python()

    assert len(decode()) == inputs.ROWS
    return decode


def client_profile(order: dict[str, Any]) -> Callable[[], Any]:
    client = DlmsClient.tcp("127.0.0.1", order["port"], client_sap=16)
    client.connect()

    def read() -> Any:
        return client.get(inputs.PROFILE, 7, 2).to_python()

    assert len(read()) == inputs.LONG_ROWS
    return read


def encode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    value = DlmsData.array(
        [
            DlmsData.structure(
                [DlmsData.octet_string(stamp), DlmsData.uint8(status), *map(DlmsData.uint32, counters)]
            )
            for stamp, status, *counters in inputs.rows()
        ]
    )
    assert encode_data(value) == inputs.DATA
    return lambda: encode_data(value)


def get_request(_: dict[str, Any]) -> Callable[[], Any]:
    attribute = xdlms.AttributeDescriptor(3, ObisCode.parse(inputs.OBIS), 2)

    def build() -> bytes:
        return xdlms.GetRequestNormal(0xC1, attribute, None).to_bytes()

    assert len(build()) == len(inputs.GET_REQUEST)
    return build


def get_response(_: dict[str, Any]) -> Callable[[], Any]:
    def parse() -> Any:
        return xdlms.decode_apdu(inputs.GET_RESPONSE).result.data.to_python()

    assert parse() == inputs.VALUE
    return parse


def client_get(order: dict[str, Any]) -> Callable[[], Any]:
    client = DlmsClient.tcp("127.0.0.1", order["port"], client_sap=16)
    client.connect()
    assert client.get(inputs.OBIS, 3, 2).to_python() == inputs.VALUE
    return lambda: client.get(inputs.OBIS, 3, 2).to_python()


def hdlc_frame(_: dict[str, Any]) -> Callable[[], Any]:
    client, server = HdlcAddress.client(16), HdlcAddress.server(1, 17)
    last = len(inputs.HDLC_SEGMENTS) - 1

    def frame() -> bytes:
        return b"".join(
            encode_frame(HdlcFrame(client, server, control_i(number % 8, 1, True), segment, number < last))
            for number, segment in enumerate(inputs.HDLC_SEGMENTS)
        )

    assert frame() == inputs.HDLC_FRAMES
    return frame


def hdlc_deframe(_: dict[str, Any]) -> Callable[[], Any]:
    def deframe() -> bytes:
        return b"".join(frame.info for frame in FrameReader().feed(inputs.HDLC_FRAMES))

    assert deframe() == inputs.HDLC_MESSAGE
    return deframe


def protect(_: dict[str, Any]) -> Callable[[], Any]:
    """From the octets of an APDU to protected octets and back."""
    keys = {"encryption_key": inputs.ENCRYPTION_KEY, "authentication_key": inputs.AUTHENTICATION_KEY}
    titles = inputs.CLIENT_TITLE, inputs.SERVER_TITLE
    sender = SecurityContext(**keys, client_system_title=titles[0], server_system_title=titles[1])
    receiver = SecurityContext(**keys, client_system_title=titles[1], server_system_title=titles[0])
    request = bytes.fromhex("C101C100010100010800FF0200098203E8") + inputs.LONG_VALUE

    def there_and_back() -> bytes:
        return unwrap(receiver, wrap(sender, request)).plaintext

    assert there_and_back() == request
    return there_and_back


def ciphered(order: dict[str, Any], number: int) -> DlmsClient:
    security = SecurityContext(
        inputs.ENCRYPTION_KEY,
        inputs.AUTHENTICATION_KEY,
        inputs.title_of(number),
        inputs.SERVER_TITLE,
        invocation_counter=1,
    )
    client = DlmsClient.tcp(
        "127.0.0.1", order["port"], client_sap=number, mechanism=Mechanism.HLS_GMAC, security=security
    )
    client.connect()
    return client


def ciphered_get(order: dict[str, Any]) -> Callable[[], Any]:
    client = ciphered(order, 3)
    assert client.get(inputs.OBIS, 3, 2).to_python() == inputs.VALUE
    return lambda: client.get(inputs.OBIS, 3, 2).to_python()


def ciphered_profile(order: dict[str, Any]) -> Callable[[], Any]:
    client = ciphered(order, 4)

    def read() -> Any:
        return client.get(inputs.PROFILE, 7, 2).to_python()

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
