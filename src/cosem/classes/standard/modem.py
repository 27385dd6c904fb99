"""Modem configuration, Auto answer and Auto connect: being called, and calling.

(Blue Book, class_id 27, 28, 29)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.references import Baud, TimeWindow
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "AllowedCaller",
    "AutoAnswer",
    "AutoAnswerMode",
    "AutoAnswerStatus",
    "AutoAnswerVersion0",
    "AutoConnect",
    "AutoConnectMode",
    "AutoConnectVersion0",
    "AutoConnectVersion1",
    "ModemConfiguration",
    "ModemConfigurationVersion0",
    "ModemInitialization",
    "ModemInitializationVersion0",
    "NumberOfRings",
]


class AutoAnswerMode(OpenEnumeration):
    """When the modem answers calls."""

    DEDICATED_LINE = 0
    LIMITED_CALLS = 1
    LIMITED_SUCCESSFUL_CALLS = 2
    NO_MODEM = 3


class AutoAnswerStatus(OpenEnumeration):
    """Whether the modem would answer now."""

    INACTIVE = 0
    ACTIVE = 1
    LOCKED = 2


class AutoConnectMode(OpenEnumeration):
    """When the meter connects; 200 and above are of manufacturers."""

    NONE = 0
    ANY_TIME = 1
    IN_WINDOW = 2
    IN_WINDOW_ALARMS_ANY_TIME = 3
    SMS_PLMN = 4
    SMS_PSTN = 5
    EMAIL = 6
    PERMANENTLY_CONNECTED = 101
    CONNECTED_IN_WINDOW = 102
    PERMANENTLY_CONNECTED_OR_ON_METHOD = 103
    CONNECT_ON_METHOD = 104


class ModemInitializationVersion0(Structured):
    """One step of initializing the modem: what is sent to it, and what it must answer."""

    request: bytes = member("octet-string")
    response: bytes = member("octet-string")


class ModemInitialization(Structured):
    """One step of initializing the modem: request, expected response, delay after it in milliseconds."""

    request: bytes = member("octet-string")
    response: bytes = member("octet-string")
    delay_after_response: int = member("long-unsigned")


class NumberOfRings(Structured):
    """After how many rings the meter answers, inside and outside a listening window; 0 is never."""

    nr_rings_in_window: int = member("unsigned")
    nr_rings_out_of_window: int = member("unsigned")


class AllowedCaller(Structured):
    """A caller that the meter reacts to, ``*`` and ``?`` in its number standing for any digits."""

    caller_id: bytes = member("octet-string")
    call_type: int = member("enum")


class ModemConfigurationVersion0(
    InterfaceClass,
    class_id=27,
    version=0,
    title="PSTN modem configuration",
    status="old",
    confidence="medium",
    logical_names=("0.b.2.0.0.255",),
):
    """PSTN modem configuration (class_id 27, version 0): see :class:`ModemConfiguration`.

    Compared with that one it differs in ``initialization_string``.
    """

    comm_speed = Attribute(2, "enum", Baud, access="rw")
    initialization_string = Attribute(3, array_of(ModemInitializationVersion0), access="rw")
    modem_profile = Attribute(4, "array of octet-string", access="rw")


class ModemConfiguration(
    ModemConfigurationVersion0, version=1, title="Modem configuration", status="current", confidence="high"
):
    """Modem configuration (class_id 27, version 1): how a modem is initialized and which commands it knows."""

    initialization_string = Attribute(3, array_of(ModemInitialization), access="rw")  # type: ignore[assignment]


class AutoAnswerVersion0(
    InterfaceClass,
    class_id=28,
    version=0,
    title="Auto answer",
    status="old",
    confidence="high",
    logical_names=("0.b.2.2.0.255",),
):
    """Auto answer (class_id 28, version 0): see :class:`AutoAnswer`.

    Compared with that one it has no ``list_of_allowed_callers``.
    """

    mode = Attribute(2, "enum", AutoAnswerMode, access="rw")
    listening_window = Attribute(3, array_of(TimeWindow), access="rw")
    status = Attribute(4, "enum", AutoAnswerStatus, nature="dynamic", access="rw")
    number_of_calls = Attribute(5, "unsigned", access="rw")
    number_of_rings = Attribute(6, NumberOfRings, access="rw")


class AutoAnswer(AutoAnswerVersion0, version=2, status="current"):
    """Auto answer (class_id 28, version 2): when the meter answers calls, and from whom.

    Version 1 was interim and must not be used.
    """

    list_of_allowed_callers = Attribute(7, array_of(AllowedCaller), access="rw")


class AutoConnectVersion0(
    InterfaceClass,
    class_id=29,
    version=0,
    title="PSTN auto dial",
    status="old",
    confidence="medium",
    logical_names=("0.b.2.1.0.255",),
):
    """PSTN auto dial (class_id 29, version 0): see :class:`AutoConnect`.

    Compared with that one it has ``phone_list``; it has no ``destination_list``, ``connect``.
    """

    mode = Attribute(2, "enum", AutoConnectMode, access="rw")
    repetitions = Attribute(3, "unsigned", access="rw")
    repetition_delay = Attribute(4, "long-unsigned", access="rw")
    calling_window = Attribute(5, array_of(TimeWindow), access="rw")
    phone_list = Attribute(6, "array of octet-string", access="rw")


class AutoConnectVersion1(
    InterfaceClass,
    class_id=29,
    version=1,
    title="Auto connect",
    status="old",
    confidence="high",
    logical_names=("0.b.2.1.0.255",),
):
    """Auto connect (class_id 29, version 1): see :class:`AutoConnect`.

    Compared with that one it has no ``connect``.
    """

    mode = Attribute(2, "enum", AutoConnectMode, access="rw")
    repetitions = Attribute(3, "unsigned", access="rw")
    repetition_delay = Attribute(4, "long-unsigned", access="rw")
    calling_window = Attribute(5, array_of(TimeWindow), access="rw")
    destination_list = Attribute(6, "array of octet-string", access="rw")


class AutoConnect(AutoConnectVersion1, version=2, status="current"):
    """Auto connect (class_id 29, version 2): when the meter connects, and where to.

    Calling windows are times at which it may.
    """

    connect = Method(1, short_name_offset=0x30)
