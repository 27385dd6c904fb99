"""TCP-UDP setup: the transport layer of the internet profile.

(Blue Book, class_id 41)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["TcpUdpSetup"]


class TcpUdpSetup(
    InterfaceClass,
    class_id=41,
    version=0,
    title="TCP-UDP setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.0.0.255",),
):
    """TCP-UDP setup (class_id 41, version 0).

    TCP and UDP: the port, the largest segment in octets, connections, and seconds of inactivity (0 for
    ever).
    """

    TCP_UDP_port = Attribute(2, "long-unsigned", name="TCP-UDP_port", access="rw")
    IP_reference = Attribute(3, "octet-string[6]", access="rw")
    MSS = Attribute(4, "long-unsigned", access="rw", minimum=40, maximum=65535, default=576)
    nb_of_sim_conn = Attribute(5, "unsigned", access="rw")
    inactivity_time_out = Attribute(6, "long-unsigned", access="rw", default=180, remark='"seconds"')
