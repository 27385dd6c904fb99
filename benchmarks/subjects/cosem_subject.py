"""cosem: runs in .venv."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import cosem
import inputs
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.get import GetRequestNormal
from cosem.apdu.set import SetRequestNormal
from cosem.client.security import HighGmac
from cosem.codec.row_template import decode_rows as plain_rows
from cosem.link.hdlc import FrameKind, FrameParser, HdlcAddress
from cosem.link.hdlc.frame import control_octet, frame_octets
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.gcm import AesGcmKey
from cosem.security.key_material import Key
from cosem.security.material import SecurityMaterial
from cosem.security.policy import SecurityPolicyV0
from cosem.security.protection import Protection
from cosem.store.sqlite_counters import SqliteCounterStore
from cosem.types.data import Array, DoubleLongUnsigned, OctetString, Structure, Unsigned
from cosem.types.identifiers import InvokeIdAndPriority
from cosem.types.logical_name import LogicalName
from worker import Cases, serve

NAME = LogicalName.parse(inputs.OBIS)
ATTRIBUTE = CosemAttributeDescriptor(3, NAME, 2)


def decode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    value: Any = cosem.decode_data(inputs.DATA)
    assert len(value) == inputs.ROWS
    assert value[5][2] == inputs.rows()[5][2]
    return lambda: cosem.decode_data(inputs.DATA)


def encode_rows(_: dict[str, Any]) -> Callable[[], Any]:
    value = Array(
        Structure([OctetString(stamp), Unsigned(status), *map(DoubleLongUnsigned, counters)])
        for stamp, status, *counters in inputs.rows()
    )
    assert cosem.encode_data(value) == inputs.DATA
    return lambda: cosem.encode_data(value)


def row_tuples(_: dict[str, Any]) -> Callable[[], Any]:
    """Plain tuples, standard library only."""
    value = plain_rows(inputs.DATA)
    assert value == inputs.rows()
    return lambda: plain_rows(inputs.DATA)


def irregular_rows(_: dict[str, Any]) -> Callable[[], Any]:
    assert plain_rows(inputs.IRREGULAR) == list(cosem.decode_data(inputs.IRREGULAR))
    return lambda: plain_rows(inputs.IRREGULAR)


def columns(_: dict[str, Any]) -> Callable[[], Any]:
    """numpy columns, date-times included."""
    from cosem.codec.columns import decode_columns

    times, status, *counters = decode_columns(inputs.DATA, {0})
    assert str(times.values[-1]) == "2024-05-01T21:59:00.000000"
    assert counters[0].values.tolist() == [row[2] for row in inputs.rows()]
    assert status.values[6] == 6
    return lambda: decode_columns(inputs.DATA, {0})


def client_profile(order: dict[str, Any]) -> Callable[[], Any]:
    meter = cosem.connect(f"tcp://127.0.0.1:{order['port']}")
    profile = meter.profile(inputs.PROFILE)

    def read() -> Any:
        return profile.read().table.rows()

    assert read() == inputs.rows(inputs.LONG_ROWS)
    return read


def get_request(_: dict[str, Any]) -> Callable[[], Any]:
    def build() -> bytes:
        return cosem.encode(GetRequestNormal(0xC1, ATTRIBUTE))

    assert build() == inputs.GET_REQUEST
    return build


def get_response(_: dict[str, Any]) -> Callable[[], Any]:
    def parse() -> Any:
        apdu: Any = cosem.decode(inputs.GET_RESPONSE)
        return apdu.result

    assert parse() == inputs.VALUE
    return parse


def client_get(order: dict[str, Any]) -> Callable[[], Any]:
    meter = cosem.connect(f"tcp://127.0.0.1:{order['port']}")
    assert meter.get(NAME, 2, class_id=3) == inputs.VALUE
    return lambda: meter.get(NAME, 2, class_id=3)


def hdlc_frame(_: dict[str, Any]) -> Callable[[], Any]:
    addresses = HdlcAddress(16).octets + HdlcAddress(1, 17).octets
    last = len(inputs.HDLC_SEGMENTS) - 1

    def frame() -> bytes:
        return b"".join(
            frame_octets(
                addresses,
                control_octet(FrameKind.I, final=True, receive_number=1, send_number=number),
                segment,
                segmented=number < last,
            )
            for number, segment in enumerate(inputs.HDLC_SEGMENTS)
        )

    assert frame() == inputs.HDLC_FRAMES
    return frame


def hdlc_deframe(_: dict[str, Any]) -> Callable[[], Any]:
    def deframe() -> bytes:
        return b"".join(frame.information for frame in FrameParser().feed(inputs.HDLC_FRAMES))

    assert deframe() == inputs.HDLC_MESSAGE
    return deframe


def protect(_: dict[str, Any]) -> Callable[[], Any]:
    """From an APDU to protected octets and back to an APDU, with counters, replay protection and policy."""
    keys = SecurityMaterial(unicast=AesGcmKey(inputs.ENCRYPTION_KEY, inputs.AUTHENTICATION_KEY))
    store = VolatileCounterStore()

    def end(own: bytes, peer: bytes, side: Side) -> Protection:
        context = SecurityContext(keys, own, peer, side, policy=SecurityPolicyV0.AUTHENTICATED_AND_ENCRYPTED)
        return Protection(
            context, VolatileCounter(), lambda title: ReplayGuard(store, CounterName(b"guek", title))
        )

    sender = end(inputs.CLIENT_TITLE, inputs.SERVER_TITLE, Side.CLIENT)
    receiver = end(inputs.SERVER_TITLE, inputs.CLIENT_TITLE, Side.SERVER)
    descriptor = CosemAttributeDescriptor(1, NAME, 2)
    request = SetRequestNormal(InvokeIdAndPriority(0xC1), descriptor, None, OctetString(inputs.LONG_VALUE))

    def there_and_back() -> Any:
        clear, _status = receiver.unprotect(sender.protect(cosem.encode(request)))
        return cosem.decode(clear)

    assert there_and_back() == request
    return there_and_back


def push(_: dict[str, Any]) -> Callable[[], Any]:
    """From octets to named, scaled values with units; framing, ciphering and maker are found out each time."""
    keys = cosem.Keys(encryption=Key(inputs.ENCRYPTION_KEY), authentication=Key(inputs.AUTHENTICATION_KEY))
    messages = cycle(inputs.pushes())

    def decoded() -> Any:
        return cosem.push.decode(next(messages), keys)[0].values

    assert [str(value) for value in decoded()][14] == "1-0:35.7.0*255 101.4 W"
    return decoded


def ciphered(order: dict[str, Any], client: int) -> Any:
    """Return a client with a ciphered association; its counters are at rest, as they are by default."""
    keys = cosem.Keys.parse(
        guek=inputs.ENCRYPTION_KEY.hex(),
        gak=inputs.AUTHENTICATION_KEY.hex(),
        client_title=inputs.title_of(client).hex(),
        server_title=inputs.SERVER_TITLE.hex(),
    )
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    counters = SqliteCounterStore(folder / "counters").__enter__()
    security = HighGmac(keys, counters=counters, allow_test_keys=True)
    return cosem.connect(f"tcp://127.0.0.1:{order['port']}", client=client, security=security)


def ciphered_get(order: dict[str, Any]) -> Callable[[], Any]:
    meter = ciphered(order, 1)
    assert meter.get(NAME, 2, class_id=3) == inputs.VALUE
    return lambda: meter.get(NAME, 2, class_id=3)


def ciphered_profile(order: dict[str, Any]) -> Callable[[], Any]:
    profile = ciphered(order, 2).profile(inputs.PROFILE)

    def read() -> Any:
        return profile.read().table.rows()

    assert read() == inputs.rows(inputs.LONG_ROWS)
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
