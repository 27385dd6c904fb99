"""IEC HDLC setup: the data link of the serial profiles.

(Blue Book, class_id 23)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass
from cosem.classes.standard.references import Baud

__all__ = ["IecHdlcSetup", "IecHdlcSetupVersion0"]


class IecHdlcSetupVersion0(
    InterfaceClass,
    class_id=23,
    version=0,
    title="IEC HDLC setup",
    status="old",
    confidence="medium",
    logical_names=("0.b.22.0.0.255",),
):
    """IEC HDLC setup (class_id 23, version 0): see :class:`IecHdlcSetup`.

    Compared with that one it differs in ``window_size_transmit``, ``window_size_receive``,
    ``max_info_field_length_transmit``, ``max_info_field_length_receive``, ``inter_octet_time_out``,
    ``inactivity_time_out`` and more.
    """

    comm_speed = Attribute(2, "enum", Baud, access="rw")
    window_size_transmit = Attribute(3, "unsigned", access="rw")
    window_size_receive = Attribute(4, "unsigned", access="rw")
    max_info_field_length_transmit = Attribute(5, "unsigned", access="rw")
    max_info_field_length_receive = Attribute(6, "unsigned", access="rw")
    inter_octet_time_out = Attribute(7, "long-unsigned", access="rw")
    inactivity_time_out = Attribute(8, "long-unsigned", access="rw")
    device_address = Attribute(9, "long-unsigned", access="rw")


class IecHdlcSetup(
    InterfaceClass,
    class_id=23,
    version=1,
    title="IEC HDLC setup",
    status="current",
    confidence="high",
    logical_names=("0.b.22.0.0.255",),
):
    """IEC HDLC setup (class_id 23, version 1).

    The HDLC data link: speed, windows, sizes of information fields, time-outs and address.

    Sizes are octets, time-outs milliseconds between octets and seconds of inactivity. What is written
    holds from the next connection on.
    """

    comm_speed = Attribute(2, "enum", Baud, access="rw")
    window_size_transmit = Attribute(3, "unsigned", access="rw", minimum=1, maximum=7, default=1)
    window_size_receive = Attribute(4, "unsigned", access="rw", minimum=1, maximum=7, default=1)
    max_info_field_length_transmit = Attribute(
        5, "long-unsigned", access="rw", minimum=32, maximum=2030, default=128
    )
    max_info_field_length_receive = Attribute(
        6, "long-unsigned", access="rw", minimum=32, maximum=2030, default=128
    )
    inter_octet_time_out = Attribute(
        7, "long-unsigned", access="rw", minimum=20, maximum=6000, default=25, remark='"milliseconds"'
    )
    inactivity_time_out = Attribute(8, "long-unsigned", access="rw", default=120, remark='"seconds"')
    device_address = Attribute(9, "long-unsigned", access="rw", minimum=16, maximum=16381)
