"""Push setup: what the meter sends on its own, where to and when.

(Blue Book, class_id 40)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.standard.protection import ProtectionParameters
from cosem.classes.standard.references import (
    CaptureObjectDefinition,
    RestrictedObjectDefinition,
    Restriction,
    TimeWindow,
)
from cosem.classes.structured import Structured, array_of, member
from cosem.types.date_time import DateTime
from cosem.types.enumerations import OpenEnumeration
from cosem.types.logical_name import LogicalName

__all__ = [
    "ConfirmationParameters",
    "PushMessage",
    "PushObjectDefinition",
    "PushOperationMethod",
    "PushSetup",
    "PushSetupVersion0",
    "PushSetupVersion1",
    "PushSetupVersion3",
    "RepetitionDelay",
    "SendDestinationAndMethod",
    "TransportService",
]


class TransportService(OpenEnumeration):
    """What carries a push; 200 and above are of manufacturers."""

    TCP = 0
    UDP = 1
    FTP = 2
    SMTP = 3
    SMS = 4
    HDLC = 5
    M_BUS = 6
    ZIGBEE = 7
    DLMS_GATEWAY = 8
    RELIABLE_COAP = 9
    UNRELIABLE_COAP = 10


class PushMessage(OpenEnumeration):
    """How a push is encoded; 128 and above are of manufacturers."""

    A_XDR = 0
    XML = 1


class PushOperationMethod(OpenEnumeration):
    """Whether a push is confirmed, and what makes the meter try again."""

    UNCONFIRMED_RETRY_ON_FAILURE = 0
    UNCONFIRMED_RETRY_ON_MISSING_CONFIRMATION = 1
    CONFIRMED = 2


class SendDestinationAndMethod(Structured):
    """Where a push goes and how: ``host:port``, a telephone number or a mail address."""

    transport_service: TransportService = member("enum", TransportService)
    destination: bytes = member("octet-string")
    message: PushMessage = member("enum", PushMessage)


class PushObjectDefinition(Structured):
    """One value to push; of a profile, which rows and columns."""

    class_id: int = member("long-unsigned")
    logical_name: LogicalName = member("octet-string[6]")
    attribute_index: int = member("integer")
    data_index: int = member("long-unsigned")
    restriction: Restriction = member(Restriction)
    columns: tuple[CaptureObjectDefinition, ...] = member(array_of(CaptureObjectDefinition))


class RepetitionDelay(Structured):
    """Delays between retries: the n-th is min * (exponent / 100) ** (n - 1) seconds, at most max."""

    repetition_delay_min: int = member("long-unsigned")
    repetition_delay_exponent: int = member("long-unsigned")
    repetition_delay_max: int = member("long-unsigned")


class ConfirmationParameters(Structured):
    """When confirmations are first expected, and the interval in seconds between them."""

    confirmation_start_date: DateTime = member("date-time")
    confirmation_interval: int = member("double-long-unsigned")


class PushSetupVersion0(
    InterfaceClass,
    class_id=40,
    version=0,
    title="Push setup",
    status="old",
    confidence="high",
    logical_names=("0.b.25.9.0.255",),
):
    """Push setup (class_id 40, version 0): see :class:`PushSetup`.

    Compared with that one it has no ``port_reference``, ``push_client_SAP``,
    ``push_protection_parameters``, ``push_operation_method``, ``confirmation_parameters``,
    ``last_confirmation_date_time`` and more; it differs in ``push_object_list``, ``repetition_delay``,
    ``push``.
    """

    push_object_list = Attribute(2, array_of(CaptureObjectDefinition), access="rw")
    send_destination_and_method = Attribute(3, SendDestinationAndMethod, access="rw")
    communication_window = Attribute(4, array_of(TimeWindow), access="rw")
    randomisation_start_interval = Attribute(5, "long-unsigned", access="rw")
    number_of_retries = Attribute(6, "unsigned", access="rw")
    repetition_delay = Attribute(7, "long-unsigned", access="rw")

    push = Method(1, mandatory=True, short_name_offset=0x38)


class PushSetupVersion1(PushSetupVersion0, version=1, status="current"):
    """Push setup (class_id 40, version 1): see :class:`PushSetupVersion0`.

    Compared with that one it has ``port_reference``, ``push_client_SAP``,
    ``push_protection_parameters``; it differs in ``push_object_list``, ``push``.
    """

    push_object_list = Attribute(2, array_of(RestrictedObjectDefinition), access="rw")  # type: ignore[assignment]
    port_reference = Attribute(8, "octet-string[6]", access="rw")
    push_client_SAP = Attribute(9, "integer", access="rw")
    push_protection_parameters = Attribute(10, array_of(ProtectionParameters), access="rw")

    push = Method(1, mandatory=True)


class PushSetup(PushSetupVersion1, version=2, status="later", confidence="medium"):
    """Push setup (class_id 40, version 2): what the meter sends on its own.

    ``push`` collects the values of ``push_object_list`` into one structure and sends it as a
    data-notification to the destination, in a communication window if there are any, after a random
    delay of up to ``randomisation_start_interval`` seconds, and again ``number_of_retries`` times.
    """

    push_object_list = Attribute(2, array_of(PushObjectDefinition), access="rw")  # type: ignore[assignment]
    repetition_delay = Attribute(7, RepetitionDelay, access="rw")  # type: ignore[assignment]
    push_operation_method = Attribute(11, "enum", PushOperationMethod, access="rw")
    confirmation_parameters = Attribute(12, ConfirmationParameters, access="rw")
    last_confirmation_date_time = Attribute(13, "date-time", nature="dynamic")

    reset = Method(2)


class PushSetupVersion3(PushSetup, version=3, confidence="low"):
    """Push setup (class_id 40, version 3): see :class:`PushSetup`.

    Compared with that one it has the same table.

    Current in lists of later editions; the table is that of version 2, and what changed inside the
    types is not established.
    """
