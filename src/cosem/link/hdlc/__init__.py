"""The three-layer, connection-oriented HDLC profile (IEC 62056-46), without I/O.

Annex A's three duties for this profile:

- *What identifies an association*: the client's address, and the upper (logical
  device) and lower (physical device) address of the server, on one line. A
  confirmed association lives and dies with the link that SNRM and UA set up.
- *How services map on the layer below*: confirmed services travel in I frames,
  numbered, acknowledged, and cut into segments as agreed; unconfirmed services,
  EventNotification and DataNotification in UI frames. An AARQ in an I frame asks
  for a confirmed association, one in a UI frame for an unconfirmed one. DISC, or
  a link that is lost, aborts the association (COSEM-ABORT).
- *What it adds to COSEM-OPEN*: lower and upper MAC address of the server, MAC
  address of the client, both LLC addresses (E6, and E6 or E7), and what SNRM
  negotiates: octets of information and window, each way. User-information may
  travel in SNRM, UA, DISC and DM.

The line below must keep the order of what it carries, as ISO/IEC 13239 assumes.
Frames may be lost, damaged, repeated and late; but numbers run modulo 8, so that a
repeated frame which eight others have overtaken has a number that is due again,
and its octets would be taken for new ones. Carriers that change the order (UDP,
some radio nets) take the wrapper instead.

:class:`HdlcClientLink` and :class:`HdlcServerLink` are the two stations,
:class:`HdlcListener` only listens, to what a port pushes.
"""

from __future__ import annotations

from cosem.link.hdlc.address import (
    ALL_STATION,
    CALLING_PHYSICAL_DEVICE,
    CLIENT_MANAGEMENT,
    MANAGEMENT_LOGICAL_DEVICE,
    NO_STATION,
    HdlcAddress,
)
from cosem.link.hdlc.client import HdlcClientLink
from cosem.link.hdlc.frame import CONTROLS, Control, Frame, FrameKind, decode_frame, encode_frame
from cosem.link.hdlc.listener import HdlcListener
from cosem.link.hdlc.parameters import DEFAULT_PARAMETERS, HdlcParameters
from cosem.link.hdlc.parser import Damaged, FrameParser
from cosem.link.hdlc.server import HdlcServerLink

__all__ = [
    "ALL_STATION",
    "CALLING_PHYSICAL_DEVICE",
    "CLIENT_MANAGEMENT",
    "CONTROLS",
    "DEFAULT_PARAMETERS",
    "MANAGEMENT_LOGICAL_DEVICE",
    "NO_STATION",
    "Control",
    "Damaged",
    "Frame",
    "FrameKind",
    "FrameParser",
    "HdlcAddress",
    "HdlcClientLink",
    "HdlcListener",
    "HdlcParameters",
    "HdlcServerLink",
    "decode_frame",
    "encode_frame",
]
