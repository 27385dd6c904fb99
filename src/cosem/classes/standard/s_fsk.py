"""S-FSK PLC: physical and MAC layer of IEC 61334-5-1.

(Blue Book, class_id 50, 51, 52, 53, 56)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member

__all__ = [
    "ActiveInitiator",
    "DesynchronizationListing",
    "FramesCounter",
    "Frequencies",
    "SFskActiveInitiator",
    "SFskMacCounters",
    "SFskMacSynchronizationTimeouts",
    "SFskPhyMacSetup",
    "SFskPhyMacSetupVersion0",
    "SFskReportingSystemList",
    "SynchronizationCounter",
]


class Frequencies(Structured):
    """Mark and space frequency in hertz."""

    mark_frequency: int = member("double-long-unsigned")
    space_frequency: int = member("double-long-unsigned")


class ActiveInitiator(Structured):
    """The initiator that registered the node: system title, MAC address, LLC service access point."""

    system_title: bytes = member("octet-string")
    MAC_address: int = member("long-unsigned")
    L_SAP_selector: int = member("unsigned")


class SynchronizationCounter(Structured):
    """How often the node synchronized on an initiator."""

    mac_address: int = member("long-unsigned")
    synchronization_counter: int = member("double-long-unsigned")


class DesynchronizationListing(Structured):
    """How often the node lost its synchronization, by cause."""

    nb_physical_layer_desynchronization: int = member("double-long-unsigned")
    nb_time_out_not_addressed_desynchronization: int = member("double-long-unsigned")
    nb_time_out_frame_not_OK_desynchronization: int = member("double-long-unsigned")
    nb_write_request_desynchronization: int = member("double-long-unsigned")
    nb_wrong_initiator_desynchronization: int = member("double-long-unsigned")


class FramesCounter(Structured):
    """How many broadcast frames came from an initiator."""

    source_mac_address: int = member("long-unsigned")
    frames_counter: int = member("double-long-unsigned")


class SFskPhyMacSetupVersion0(
    InterfaceClass,
    class_id=50,
    version=0,
    title="S-FSK Phy&MAC setup",
    status="old",
    confidence="medium",
    logical_names=("0.b.26.0.0.255",),
):
    """S-FSK Phy&MAC setup (class_id 50, version 0): see :class:`SFskPhyMacSetup`.

    Compared with that one it has ``search_initiator_gain``; it has no ``search_initiator_threshold``,
    ``transmission_speed``.
    """

    initiator_electrical_phase = Attribute(2, "enum", access="rw")
    delta_electrical_phase = Attribute(3, "enum", nature="dynamic")
    max_receiving_gain = Attribute(4, "unsigned", access="rw")
    max_transmitting_gain = Attribute(5, "unsigned", access="rw")
    search_initiator_gain = Attribute(6, "unsigned", access="rw")
    frequencies = Attribute(7, Frequencies, access="rw")
    mac_address = Attribute(8, "long-unsigned", nature="dynamic")
    mac_group_addresses = Attribute(9, "array of long-unsigned", access="rw")
    repeater = Attribute(10, "enum", access="rw")
    repeater_status = Attribute(11, "boolean", nature="dynamic")
    min_delta_credit = Attribute(12, "unsigned", nature="dynamic")
    initiator_mac_address = Attribute(13, "long-unsigned", nature="dynamic")
    synchronization_locked = Attribute(14, "boolean", nature="dynamic", access="rw")


class SFskPhyMacSetup(
    InterfaceClass,
    class_id=50,
    version=1,
    title="S-FSK Phy&MAC setup",
    status="current",
    confidence="high",
    logical_names=("0.b.26.0.0.255",),
):
    """S-FSK Phy&MAC setup (class_id 50, version 1).

    The physical and MAC layer of S-FSK: gains, frequencies in hertz, addresses, repeating.
    """

    initiator_electrical_phase = Attribute(2, "enum", access="rw")
    delta_electrical_phase = Attribute(3, "enum", nature="dynamic")
    max_receiving_gain = Attribute(4, "unsigned", access="rw")
    max_transmitting_gain = Attribute(5, "unsigned", access="rw")
    search_initiator_threshold = Attribute(6, "unsigned", access="rw")
    frequencies = Attribute(7, Frequencies, access="rw")
    mac_address = Attribute(8, "long-unsigned", nature="dynamic")
    mac_group_addresses = Attribute(9, "array of long-unsigned", access="rw")
    repeater = Attribute(10, "enum", access="rw")
    repeater_status = Attribute(11, "boolean", nature="dynamic")
    min_delta_credit = Attribute(12, "unsigned", nature="dynamic")
    initiator_mac_address = Attribute(13, "long-unsigned", nature="dynamic")
    synchronization_locked = Attribute(14, "boolean", nature="dynamic", access="rw")
    transmission_speed = Attribute(15, "enum", access="rw")


class SFskActiveInitiator(
    InterfaceClass,
    class_id=51,
    version=0,
    title="S-FSK Active initiator",
    status="current",
    confidence="high",
    logical_names=("0.b.26.1.0.255",),
):
    """S-FSK Active initiator (class_id 51, version 0): the initiator that the node belongs to.

    ``reset_NEW_not_synchronized`` makes it forget that one.
    """

    active_initiator = Attribute(2, ActiveInitiator, nature="dynamic")

    reset_NEW_not_synchronized = Method(
        1,
        "structure or long-unsigned",
        short_name_offset=0x10,
        remark="initiator MAC address; sources differ",
    )


class SFskMacSynchronizationTimeouts(
    InterfaceClass,
    class_id=52,
    version=0,
    title="S-FSK MAC synchronization timeouts",
    status="current",
    confidence="high",
    logical_names=("0.b.26.2.0.255",),
):
    """S-FSK MAC synchronization timeouts (class_id 52, version 0).

    Time-outs after which a node gives its synchronization up.
    """

    search_initiator_time_out = Attribute(2, "long-unsigned", access="rw")
    synchronization_confirmation_time_out = Attribute(3, "long-unsigned", access="rw")
    time_out_not_addressed = Attribute(4, "long-unsigned", access="rw")
    time_out_frame_not_OK = Attribute(5, "long-unsigned", access="rw")


class SFskMacCounters(
    InterfaceClass,
    class_id=53,
    version=0,
    title="S-FSK MAC counters",
    status="current",
    confidence="high",
    logical_names=("0.b.26.3.0.255",),
):
    """S-FSK MAC counters (class_id 53, version 0).

    Counters of synchronization and of frames, by kind and repetition.
    """

    synchronization_register = Attribute(2, array_of(SynchronizationCounter), nature="dynamic")
    desynchronization_listing = Attribute(3, DesynchronizationListing, nature="dynamic")
    broadcast_frames_counter = Attribute(4, array_of(FramesCounter), nature="dynamic")
    repetitions_counter = Attribute(5, "double-long-unsigned", nature="dynamic")
    transmissions_counter = Attribute(6, "double-long-unsigned", nature="dynamic")
    CRC_OK_frames_counter = Attribute(7, "double-long-unsigned", nature="dynamic")
    CRC_NOK_frames_counter = Attribute(8, "double-long-unsigned", nature="dynamic")

    reset = Method(1, short_name_offset=0x50)


class SFskReportingSystemList(
    InterfaceClass,
    class_id=56,
    version=0,
    title="S-FSK Reporting system list",
    status="current",
    confidence="high",
    logical_names=("0.b.26.6.0.255",),
):
    """S-FSK Reporting system list (class_id 56, version 0).

    The system titles of the nodes that have reported.
    """

    reporting_system_list = Attribute(2, "array of octet-string", nature="dynamic", remark='"system titles"')
