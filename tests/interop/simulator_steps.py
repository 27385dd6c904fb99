"""What our clients do with a meter that somebody else simulates.

Each capability is a generator that yields what a method of the client returned: the value from the blocking one,
what must be awaited from the asynchronous one. It is sent the value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import cosem
from cosem.errors import AccessError
from cosem.types.data import Integer, VisibleString

__all__ = ["STEPS", "Simulated", "finish", "finish_async"]

Step = Generator[Any, Any, None]


@dataclass(frozen=True)
class Simulated:
    """A meter that is simulated: its ports, and its objects with the octets of their attributes."""

    port: int
    hdlc_port: int
    contents: list[dict[str, Any]]

    def with_short_names(self) -> Simulated:
        """Return the part of it that has short names."""
        return Simulated(self.port, self.hdlc_port, [each for each in self.contents if each["short"]])

    @property
    def url(self) -> str:
        """Where it is."""
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def hdlc_url(self) -> str:
        """Where it is with HDLC."""
        return f"hdlc+tcp://127.0.0.1:{self.hdlc_port}"

    def octets(self, name: str, attribute: int = 2) -> bytes:
        """Return what the simulator holds."""
        return next(
            bytes.fromhex(each["attributes"][str(attribute)])
            for each in self.contents
            if each["name"] == name
        )


def finish(step: Step) -> None:
    """Run a step with the blocking client."""
    value = None
    try:
        while True:
            value = step.send(value)
    except StopIteration:
        return


async def finish_async(step: Step) -> None:
    """Run a step with the asynchronous client."""
    value = None
    try:
        while True:
            value = step.send(value)
            if inspect.isawaitable(value):
                value = await value
    except StopIteration:
        return


def _everything(meter: Any, there: Simulated) -> Step:
    for each in there.contents:
        for number, octets in each["attributes"].items():
            value = yield meter.get(each["name"], int(number), class_id=each["class_id"])
            assert cosem.encode_data(value).hex() == octets, (each["name"], number)


def _objects(meter: Any, there: Simulated) -> Step:
    entries = yield meter.objects()
    listed = {
        (each.class_id, each.version, str(each.logical_name))
        for each in entries
        if each.class_id != 12  # the association itself, which every client by short names knows
    }
    assert listed == {(each["class_id"], each["version"], each["name"]) for each in there.contents}


def _registers(meter: Any, _: Simulated) -> Step:
    for name, value, unit in (
        ("1.0.1.8.0.255", "12345678", "Wh"),
        ("1.0.2.8.0.255", "4321", "Wh"),
        ("1.0.32.7.0.255", "230.1", "V"),
        ("1.0.31.7.0.255", "5.23", "A"),
    ):
        reading = yield meter.read(name)
        assert (reading.value, reading.unit) == (Decimal(value), unit)


def _clock(meter: Any, there: Simulated) -> Step:
    time = yield meter.clock()
    assert time.octets == there.octets("0.0.1.0.0.255")[2:]
    assert time.to_datetime().isoformat() == "2024-05-01T12:00:00+02:00"


def _list(meter: Any, there: Simulated) -> Step:
    names = ["1.0.1.8.0.255", "0.0.199.99.99.255", "1.0.2.8.0.255"]
    known, unknown, other = yield meter.get_many([(name, 2, 3) for name in names])
    assert cosem.encode_data(known.value) == there.octets(names[0])
    assert isinstance(unknown.error, AccessError)
    assert cosem.encode_data(other.value) == there.octets(names[2])


def _rows(table: Any) -> list[tuple[datetime, int]]:
    return [(moment, int(value)) for moment, value in table]


def _whole(meter: Any, _: Simulated) -> Step:
    table = yield meter.profile("1.0.99.1.0.255").read()
    rows = _rows(table)
    assert [value for _, value in rows] == [1000 + 7 * index for index in range(96)]
    assert rows[0][0].isoformat() == "2024-05-01T00:00:00+00:00"
    assert rows[95][0].isoformat() == "2024-05-01T23:45:00+00:00"


def _by_entry(meter: Any, _: Simulated) -> Step:
    table = yield meter.profile("1.0.99.1.0.255").read(entries=(3, 7))
    assert [value for _, value in _rows(table)] == [1014, 1021, 1028, 1035, 1042]


def _by_range(meter: Any, _: Simulated) -> Step:
    since, until = "2024-05-01T02:00:00+00:00", "2024-05-01T03:00:00+00:00"
    table = yield meter.profile("1.0.99.1.0.255").read(since=since, until=until)
    rows = _rows(table)
    assert [value for _, value in rows] == [1056, 1063, 1070, 1077, 1084]
    assert (rows[0][0].isoformat(), rows[-1][0].isoformat()) == (since, until)


def _write(meter: Any, there: Simulated) -> Step:
    before = yield meter.get("0.0.96.1.0.255", 2)
    yield meter.set("0.0.96.1.0.255", 2, VisibleString("Hello"))
    written = yield meter.get("0.0.96.1.0.255", 2)
    yield meter.set("0.0.96.1.0.255", 2, before)
    restored = yield meter.get("0.0.96.1.0.255", 2)
    assert written == VisibleString("Hello")
    assert cosem.encode_data(restored) == there.octets("0.0.96.1.0.255")


def _write_long(meter: Any, _: Simulated) -> Step:
    before = yield meter.get("0.0.96.1.0.255", 2)
    long = VisibleString("a long text" * 300)
    yield meter.set("0.0.96.1.0.255", 2, long)
    written = yield meter.get("0.0.96.1.0.255", 2)
    yield meter.set("0.0.96.1.0.255", 2, before)
    assert written == long


def _refusal(meter: Any, _: Simulated) -> Step:
    result = yield meter.get_many([("0.0.199.99.99.255", 2, 1)])
    assert isinstance(result[0].error, AccessError)
    assert result[0].error.result == 4


def _method(meter: Any, _: Simulated) -> Step:
    yield meter.call("0.0.96.3.10.255", 1, Integer(0))
    state = yield meter.get("0.0.96.3.10.255", 2)
    yield meter.set("0.0.96.3.10.255", 2, True)
    restored = yield meter.get("0.0.96.3.10.255", 2)
    assert (bool(state), bool(restored)) == (False, True)


def _release(meter: Any, _: Simulated) -> Step:
    released = yield meter.release()
    assert released is True


STEPS: Final[dict[str, Callable[[Any, Simulated], Step]]] = {
    "object list": _objects,
    "every attribute that it serves": _everything,
    "registers with scaler and unit": _registers,
    "clock": _clock,
    "several attributes in one request": _list,
    "load profile, whole (in blocks)": _whole,
    "load profile, by entry": _by_entry,
    "load profile, by range": _by_range,
    "write, and read back": _write,
    "write 3,300 octets in blocks": _write_long,
    "an unknown object is told": _refusal,
    "methods": _method,
    "release": _release,
}
"""In the order of the matrix."""
