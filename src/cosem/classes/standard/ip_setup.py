"""IPv4, IPv6 and MAC address setup: the network interface.

(Blue Book, class_id 42, 43, 48)
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, each, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "IPOption",
    "IPv4Setup",
    "IPv6AddressEntry",
    "IPv6AddressType",
    "IPv6Setup",
    "MacAddressSetup",
    "NeighborDiscoverySetup",
]


class IPv6AddressType(OpenEnumeration):
    """What an address is for."""

    UNICAST = 0
    MULTICAST = 1
    GATEWAY = 2


class IPOption(Structured):
    """An option of the IPv4 header."""

    IP_option_type: int = member("unsigned")
    IP_option_length: int = member("unsigned")
    IP_option_data: bytes = member("octet-string")


class NeighborDiscoverySetup(Structured):
    """Router solicitations: retries, and milliseconds between them.

    ``RA_send_period`` is the period of router advertisements in seconds.
    """

    RS_max_retry: int = member("unsigned")
    RS_retry_wait_time: int = member("long-unsigned")
    RA_send_period: int = member("double-long-unsigned")


class IPv6AddressEntry(Structured):
    """An address to add or remove: unicast, multicast or gateway."""

    IPv6_address_type: IPv6AddressType = member("enum", IPv6AddressType)
    IPv6_address: bytes = member("octet-string[16]")


class IPv4Setup(
    InterfaceClass,
    class_id=42,
    version=0,
    title="IPv4 setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.1.0.255",),
):
    """IPv4 setup (class_id 42, version 0): IPv4: addresses and options of one network interface."""

    DL_reference = Attribute(2, "octet-string[6]", access="rw")
    IP_address = Attribute(3, "double-long-unsigned", IPv4Address, nature="either", access="rw")
    multicast_IP_address = Attribute(
        4, "array of double-long-unsigned", each(IPv4Address), nature="either", access="rw"
    )
    IP_options = Attribute(5, array_of(IPOption), access="rw")
    subnet_mask = Attribute(6, "double-long-unsigned", IPv4Address, nature="either", access="rw")
    gateway_IP_address = Attribute(7, "double-long-unsigned", IPv4Address, nature="either", access="rw")
    use_DHCP_flag = Attribute(8, "boolean", access="rw")
    primary_DNS_address = Attribute(9, "double-long-unsigned", IPv4Address, nature="either", access="rw")
    secondary_DNS_address = Attribute(10, "double-long-unsigned", IPv4Address, nature="either", access="rw")

    add_mc_IP_address = Method(1, "double-long-unsigned", short_name_offset=0x60)
    delete_mc_IP_address = Method(2, "double-long-unsigned", short_name_offset=0x68)
    get_nbof_mc_IP_addresses = Method(3, returns="long-unsigned", short_name_offset=0x70)


class MacAddressSetup(
    InterfaceClass,
    class_id=43,
    version=0,
    title="MAC address setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.2.0.255", "0.b.23.1.0.255", "0.b.28.6.0.255"),
):
    """MAC address setup (class_id 43, version 0): the MAC address of a network interface."""

    MAC_address = Attribute(2, "octet-string", nature="either", access="rw")


class IPv6Setup(
    InterfaceClass,
    class_id=48,
    version=0,
    title="IPv6 setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.7.0.255",),
):
    """IPv6 setup (class_id 48, version 0): IPv6: addresses and neighbour discovery of one network interface."""

    DL_reference = Attribute(2, "octet-string[6]", access="rw")
    address_config_mode = Attribute(3, "enum", access="rw")
    unicast_IPv6_addresses = Attribute(
        4, "array of octet-string[16]", each(IPv6Address), nature="either", access="rw"
    )
    multicast_IPv6_addresses = Attribute(
        5, "array of octet-string[16]", each(IPv6Address), nature="either", access="rw"
    )
    gateway_IPv6_addresses = Attribute(
        6, "array of octet-string[16]", each(IPv6Address), nature="either", access="rw"
    )
    primary_DNS_address = Attribute(7, "octet-string[16]", IPv6Address, nature="either", access="rw")
    secondary_DNS_address = Attribute(8, "octet-string[16]", IPv6Address, nature="either", access="rw")
    traffic_class = Attribute(9, "unsigned", access="rw")
    neighbor_discovery_setup = Attribute(10, array_of(NeighborDiscoverySetup), access="rw")

    add_IPv6_address = Method(1, IPv6AddressEntry, short_name_offset=0x60)
    remove_IPv6_address = Method(2, IPv6AddressEntry, short_name_offset=0x68)
