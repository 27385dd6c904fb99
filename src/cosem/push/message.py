"""What comes out of a push: messages and values, and how everything in them was known."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cosem.errors import ProtocolError
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from decimal import Decimal

    from cosem.apdu import Apdu
    from cosem.security.inspection import Verdict
    from cosem.types.date_time import DateTime

__all__ = ["Known", "Origin", "PushMessage", "PushValue", "StrictFindings"]


class Origin(StrEnum):
    """Where a fact about a value comes from."""

    MESSAGE = "message"
    """It stands beside the value."""
    OBJECT_LIST = "push-object-list"
    """The list of the objects stands in the message."""
    LAYOUT = "layout"
    """A layout file says so; nothing in the message proves it."""
    CATALOGUE = "catalogue"
    """The catalogue of OBIS codes says what is usual."""
    UNKNOWN = "unknown"


class Known(NamedTuple):
    """How each fact of a value was known.

    Attributes:
        name: The logical name.
        attribute: Class and attribute.
        scale: Scaler and unit.
    """

    name: Origin
    attribute: Origin
    scale: Origin


_VALUE: Final = 2
"""The attribute that is the value of an object."""


class PushValue(NamedTuple):
    """One value of a message.

    Attributes:
        obis: The logical name of the object; ``None`` if nothing tells it.
        position: Where it stands in the message, for example ``(3,)`` or ``(2, 1)``, from 0.
        class_id: The interface class; ``None`` if nothing tells it.
        attribute: The attribute; ``None`` if nothing tells it.
        value: The physical value as a Decimal where the scale is known; else what the octets mean: a number, a
            text, a date-time, a logical name, octets, or a list or structure as it came.
        scaler: Exponent of ten that was applied; ``None`` if none is known.
        unit: Symbol of the unit; empty for none.
        raw: The value as it came.
        known: How these facts were known.
    """

    obis: LogicalName | None
    position: tuple[int, ...]
    class_id: int | None
    attribute: int | None
    value: Decimal | Any
    scaler: int | None
    unit: str
    raw: Any
    known: Known

    @property
    def name(self) -> str:
        """What the object is, in words; empty if that is not known."""
        return "" if self.obis is None else _words(self.obis)

    @property
    def other_attribute(self) -> int | None:
        """Which attribute it is, where it is not the second one, which is the value of an object; else ``None``."""
        return None if self.attribute in {None, _VALUE} else self.attribute

    @property
    def label(self) -> str:
        """What it is, in short: ``1-0:1.6.0``; ``1-0:1.6.0:5`` of another attribute; ``[3]`` without a name."""
        return self._what().replace("*255", "", 1)

    def _what(self) -> str:
        if self.obis is None:
            return f"[{'.'.join(map(str, self.position))}]"
        other = self.other_attribute
        return self.obis.reduced if other is None else f"{self.obis.reduced}:{other}"

    def __str__(self) -> str:
        return f"{self._what()} {self.value} {self.unit}".rstrip()


@lru_cache(maxsize=1024)
def _words(name: LogicalName) -> str:
    from cosem.classes.obis import describe

    described = describe(name)
    return described.short if described.known else ""


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One message that a meter sent by itself.

    Attributes:
        values: Its values; none where it could not be opened.
        timestamp: When the meter sent it, by its own clock; ``None`` if it does not say.
        verification: Verified, unverifiable or failed; ``None`` if nothing protects it.
        reason: Why it is not verified; empty where it is, and where nothing protects it.
        findings: What was tolerated or had to be assumed, by name (:mod:`cosem.push.findings`).
        framing: What was around it, from outside to inside, for example ``("hdlc", "general-glo-ciphering")``.
        apdu_name: The innermost APDU that could be read, for example ``data-notification``; for text ``p1``, or
            ``iec62056-21`` where it is a readout between STX and ETX.
        system_title: Of the meter, if it says it; the meter is known by it.
        maker: Name of the maker, or the three letters of an unknown one; empty if nothing tells it.
        security_control: The security control octet of the outermost protection.
        invocation_counter: Its counter.
        invoke_id: Long-Invoke-Id-And-Priority of a notification.
        layout: Name of the layout that was used; empty if none was.
        source: Address of the sender in the framing.
        destination: Address of the receiver.
        clear: The octets of the innermost APDU that could be read.
        plain: The clear octets of a protected message, where they may be given.
        octets: The message as it came, taken out of its frames; the same octets are the same message.
    """

    values: tuple[PushValue, ...] = ()
    timestamp: DateTime | None = None
    verification: Verdict | None = None
    reason: str = ""
    findings: tuple[str, ...] = ()
    framing: tuple[str, ...] = ()
    apdu_name: str = ""
    system_title: bytes | None = None
    maker: str = ""
    security_control: int | None = None
    invocation_counter: int | None = None
    invoke_id: int | None = None
    layout: str = ""
    source: int | None = None
    destination: int | None = None
    clear: bytes = field(default=b"", repr=False)
    plain: bytes | None = field(default=None, repr=False)
    octets: bytes = field(default=b"", repr=False)

    @property
    def apdu(self) -> Apdu | None:
        """The innermost APDU that could be read; ``None`` if none could."""
        from cosem.push.draft import clear_apdu

        return clear_apdu(self.clear) if self.clear else None

    def __getitem__(self, name: str | bytes) -> PushValue:
        """Return the first value of an object.

        Raises:
            KeyError: There is none.
        """
        wanted = LogicalName.parse(name)
        for each in self.values:
            if each.obis == wanted:
                return each
        raise KeyError(str(wanted))


class StrictFindings(ProtocolError):
    """A message is not as the standard has it, and strictness was asked for.

    Args:
        findings: What, by name.
        message: The message all the same.
    """

    def __init__(self, findings: tuple[str, ...], message: PushMessage | None = None) -> None:
        super().__init__(findings, message)
        self.findings = findings
        self.message = message

    def __str__(self) -> str:
        return f"not as the standard has it: {', '.join(self.findings)}"
