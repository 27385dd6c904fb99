"""One component that has no parts: its value and what the value means."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from cosem.apdu.acse_fields import NAME_HEADS, AuthenticationValue
from cosem.codec.ber import object_identifier_text
from cosem.translate.data_items import date_time_note
from cosem.translate.item import Item
from cosem.translate.naming import class_name, object_name, system_title_text
from cosem.types.data import ABSENT, BitString
from cosem.types.enumerations import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
)
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority
from cosem.types.logical_name import LogicalName

__all__ = ["leaf_item"]

_TITLES: Final = ("system-title", "ap-title")
_KEY_NAMES: Final = {
    ("key-id", 0): "global-unicast-encryption-key",
    ("key-id", 1): "global-broadcast-encryption-key",
    ("kek-id", 0): "master-key",
}


def leaf_item(name: str, value: Any, start: int, stop: int) -> Item:
    """Return the item of a component without parts.

    Args:
        name: Its name in the ASN.1.
        value: What was decoded.
        start: Offset of its first octet.
        stop: Offset after its last octet.
    """
    return Item(name, start, stop, text=_text(name, value), note=_note(name, value))


def _text(name: str, value: Any) -> str:
    if value is None or value is ABSENT:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, IntEnum):
        return f"{value} ({int(value)})"
    if isinstance(value, Conformance):
        return value.to_octets().hex().upper() if 0 <= value <= 0xFFFFFF else str(int(value))
    if isinstance(value, (InvokeIdAndPriority, LongInvokeIdAndPriority)):
        return f"{int(value):0{2 if isinstance(value, InvokeIdAndPriority) else 8}X}"
    if isinstance(value, int):
        if name in ("variable-name", "vaa-name"):
            return f"{value:04X}"
        return f"{value:02X}" if name in ("security-control", "block-control") else str(int(value))
    if isinstance(value, (LogicalName, BitString)):
        return str(value)
    if isinstance(value, AuthenticationValue):
        return f"[{value.choice:02X}] {value.octets.hex().upper()}"
    return bytes(value).hex().upper() or "empty" if isinstance(value, bytes) else str(value)


def _note(name: str, value: Any) -> str:
    if isinstance(value, (ApplicationContext, AuthenticationMechanism)):
        return object_identifier_text(NAME_HEADS[type(value)] + bytes((value,)))
    if name == "result-source-diagnostic":
        return (
            "acse-service-user" if isinstance(value, AcseServiceUserDiagnostic) else "acse-service-provider"
        )
    if isinstance(value, InvokeIdAndPriority):
        return f"invoke-id {value.invoke_id}, {_service_class(value)}"
    if isinstance(value, LongInvokeIdAndPriority):
        words = [f"long-invoke-id {value.long_invoke_id}", _service_class(value)]
        words += ["self-descriptive"] * value.self_descriptive + ["break on error"] * value.break_on_error
        return ", ".join(words)
    if isinstance(value, Conformance):
        return " ".join(value.names())
    if isinstance(value, LogicalName):
        return f"{value.reduced} {object_name(value)}".rstrip()
    if isinstance(value, bytes):
        return _octets_note(name, value)
    return "" if isinstance(value, bool) or not isinstance(value, int) else _number_note(name, int(value))


def _service_class(value: InvokeIdAndPriority | LongInvokeIdAndPriority) -> str:
    confirmed = "confirmed" if value.confirmed else "unconfirmed"
    return f"{confirmed}, {'high' if value.high_priority else 'normal'} priority"


def _octets_note(name: str, value: bytes) -> str:
    if name.endswith(_TITLES):
        return system_title_text(value)
    if name in ("date-time", "time", "current-time"):
        return date_time_note(value) or (
            value.decode("ascii") if name == "current-time" and value.isascii() else ""
        )
    if name.endswith("-name"):
        return object_identifier_text(value)
    return ""


def _number_note(name: str, value: int) -> str:
    if name == "class-id":
        return class_name(value)
    if name == "attribute-id":
        return "all attributes" if value == 0 else "of the manufacturer" if value < 0 else ""
    if name.endswith("-max-receive-pdu-size"):
        return "no limit" if value == 0 else "reserved" if value < 12 else ""
    if name == "security-control":
        return security_control_note(value)
    if name == "block-control":
        words = ["last block"] * (value >> 7) + ["streaming"] * (value >> 6 & 1)
        return ", ".join([*words, f"window {value & 0x3F}"])
    return _KEY_NAMES.get((name, value), "")


def security_control_note(value: int) -> str:
    """Return the bits of a security control octet in words.

    >>> security_control_note(0x30)
    'suite 0, authenticated, encrypted, unicast key'
    """
    words = [f"suite {value & 0x0F}"]
    words += ["authenticated"] * (value >> 4 & 1) + ["encrypted"] * (value >> 5 & 1)
    words.append("broadcast key" if value & 0x40 else "unicast key")
    return ", ".join([*words, *["compressed"] * (value >> 7)])
