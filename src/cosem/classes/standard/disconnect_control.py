"""Disconnect control: the switch or valve of the premises.

(Blue Book, class_id 70)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.types.enumerations import OpenEnumeration

__all__ = ["ControlState", "DisconnectControl", "DisconnectControlVersion0", "DisconnectControlVersion2"]


class ControlState(OpenEnumeration):
    """The state of the logic; output_state is that of the switch."""

    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


class DisconnectControlVersion0(
    InterfaceClass,
    class_id=70,
    version=0,
    title="Disconnect control",
    status="current",
    confidence="high",
    logical_names=("0.b.96.3.10.255", "0.b.24.4.0.255"),
):
    """Disconnect control (class_id 70, version 0): see :class:`DisconnectControl`.

    Compared with that one it has the same table.
    """

    output_state = Attribute(2, "boolean", nature="dynamic")
    control_state = Attribute(3, "enum", ControlState, nature="dynamic")
    control_mode = Attribute(4, "enum", access="rw")

    remote_disconnect = Method(1, mandatory=True, short_name_offset=0x20)
    remote_reconnect = Method(2, mandatory=True, short_name_offset=0x28)


class DisconnectControl(DisconnectControlVersion0, version=1, status="later", confidence="medium"):
    """Disconnect control (class_id 70, version 1).

    The switch of the premises: disconnected, connected, or ready to be connected by hand.

    ``control_mode`` 0..6 says which transitions are allowed remotely, by hand and locally; in mode 0 it
    never disconnects. ``output_state`` is the switch itself, ``control_state`` the logic behind it.
    """


class DisconnectControlVersion2(DisconnectControlVersion0, version=2, status="later", confidence="low"):
    """Disconnect control (class_id 70, version 2): see :class:`DisconnectControlVersion0`.

    Compared with that one it has the same table.

    Current in a list of the 17th edition; the table is that of version 1 by assumption.
    """
