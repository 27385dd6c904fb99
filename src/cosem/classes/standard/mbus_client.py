"""M-Bus client: one M-Bus slave that the meter reads.

(Blue Book, class_id 72)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "CaptureDefinitionElement",
    "DataSendElement",
    "EncryptionKeyStatus",
    "MBusClient",
    "MBusClientVersion0",
    "MBusClientVersion2",
]


class EncryptionKeyStatus(OpenEnumeration):
    """How far the exchange of the encryption key got."""

    NO_KEY = 0
    KEY_SET = 1
    KEY_TRANSFERRED = 2
    KEY_SET_AND_TRANSFERRED = 3
    KEY_IN_USE = 4


class CaptureDefinitionElement(Structured):
    """Which value of the slave to take, by its DIB and VIB."""

    data_information_block: bytes = member("octet-string")
    value_information_block: bytes = member("octet-string")


class DataSendElement(Structured):
    """A value to send to the slave, with its DIB and VIB."""

    data_information_block: bytes = member("octet-string")
    value_information_block: bytes = member("octet-string")
    data: Any = member("CHOICE")


class MBusClientVersion0(
    InterfaceClass,
    class_id=72,
    version=0,
    title="M-Bus client",
    status="old",
    confidence="high",
    logical_names=("0.b.24.1.0.255",),
):
    """M-Bus client (class_id 72, version 0): see :class:`MBusClient`.

    Compared with that one it has no ``configuration``, ``encryption_key_status``; it differs in
    ``slave_install``, ``slave_deinstall``, ``capture``, ``reset_alarm``, ``synchronize_clock``,
    ``data_send`` and more.
    """

    mbus_port_reference = Attribute(2, "octet-string[6]", access="rw")
    capture_definition = Attribute(3, array_of(CaptureDefinitionElement), access="rw")
    capture_period = Attribute(4, "double-long-unsigned", access="rw")
    primary_address = Attribute(5, "unsigned", nature="dynamic", access="rw")
    identification_number = Attribute(6, "double-long-unsigned", nature="dynamic", access="rw")
    manufacturer_id = Attribute(7, "long-unsigned", nature="dynamic", access="rw")
    version_ = Attribute(8, "unsigned", name="version", nature="dynamic", access="rw")
    device_type = Attribute(9, "unsigned", nature="dynamic", access="rw")
    access_number = Attribute(10, "unsigned", nature="dynamic")
    status = Attribute(11, "unsigned", nature="dynamic")
    alarm = Attribute(12, "unsigned", nature="dynamic")

    slave_install = Method(1, "unsigned or integer", short_name_offset=0x60, remark="dummy 0")
    slave_deinstall = Method(2, short_name_offset=0x68)
    capture = Method(3, short_name_offset=0x70)
    reset_alarm = Method(4, short_name_offset=0x78)
    synchronize_clock = Method(5, short_name_offset=0x80)
    data_send = Method(6, array_of(DataSendElement), short_name_offset=0x88)
    set_encryption_key = Method(7, "octet-string", short_name_offset=0x90)
    transfer_key = Method(8, "octet-string", short_name_offset=0x98)


class MBusClient(MBusClientVersion0, version=1, status="current"):
    """M-Bus client (class_id 72, version 1).

    One slave on the M-Bus of this meter, such as a gas or water meter.

    Value k of ``capture_definition`` is kept in the extended register 0-b:24.2.k of the same channel.
    """

    configuration = Attribute(13, "long-unsigned", nature="dynamic")
    encryption_key_status = Attribute(14, "enum", EncryptionKeyStatus, nature="dynamic")

    slave_install = Method(1, "unsigned or integer", short_name_offset=0x70, remark="dummy 0")
    slave_deinstall = Method(2, short_name_offset=0x78)
    capture = Method(3, short_name_offset=0x80)
    reset_alarm = Method(4, short_name_offset=0x88)
    synchronize_clock = Method(5, short_name_offset=0x90)
    data_send = Method(6, array_of(DataSendElement), short_name_offset=0x98)
    set_encryption_key = Method(7, "octet-string", short_name_offset=0xA0)
    transfer_key = Method(8, "octet-string", short_name_offset=0xA8)


class MBusClientVersion2(MBusClient, version=2, status="later", confidence="low"):
    """M-Bus client (class_id 72, version 2): see :class:`MBusClient`.

    Compared with that one it has the same table.

    Current in lists of later editions; the table is that of version 1 by assumption.
    """
