"""The two stations as tables: (state, what happens) to (action, next state).

An action is the name of a method of the station; it may look at the numbers and
at P/F, but only the table moves the state. What a peer sends and the table does
not know in this state is dropped; what the user asks for and the table does not
know is a :class:`~cosem.errors.StateError`.

(IEC 62056-46, 6.4.4; ISO/IEC 13239, normal response mode, unbalanced)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

__all__ = [
    "PRIMARY_TRANSITIONS",
    "SECONDARY_TRANSITIONS",
    "PrimaryInput",
    "PrimaryState",
    "SecondaryInput",
    "SecondaryState",
]


class PrimaryState(Enum):
    """Where the client's station stands."""

    DISCONNECTED = auto()
    CONNECTING = auto()
    """SNRM is out."""
    READY = auto()
    """Connected; the turn to speak is ours."""
    AWAITING = auto()
    """Connected; a frame with P is out, the turn is the server's until F."""
    RELEASING = auto()
    """DISC is out."""


class PrimaryInput(Enum):
    """What moves the client's station."""

    CONNECT = auto()
    DISCONNECT = auto()
    SPEAK = auto()
    """There is something to send or to ask for."""
    UA = auto()
    DM = auto()
    FRMR = auto()
    I = auto()  # noqa: E741 -- its name in the standard
    I_FINAL = auto()
    RR_RNR = auto()
    RR_RNR_FINAL = auto()
    UI = auto()
    UI_FINAL = auto()
    TIMEOUT = auto()
    """No answer in time, and more attempts are left."""
    EXHAUSTED = auto()
    """No attempts are left."""
    INACTIVITY = auto()
    OVERFLOW = auto()
    """A message outgrew its limit."""


class SecondaryState(Enum):
    """Where the server's station stands, towards one client and for one logical device."""

    NDM = auto()
    """Normal disconnected mode."""
    NRM = auto()
    """Normal response mode: connected."""
    FRAME_REJECT = auto()
    """A frame was rejected: only SNRM or DISC helps."""


class SecondaryInput(Enum):
    """What moves the server's station."""

    SNRM = auto()
    SNRM_REFUSED = auto()
    """SNRM of a client that is not served, or one too many."""
    DISC = auto()
    I = auto()  # noqa: E741 -- its name in the standard
    RR_RNR = auto()
    UI = auto()
    INVALID = auto()
    """A control octet, N(R), length or LLC header that is not possible."""
    INACTIVITY = auto()
    CLOSED = auto()
    """The physical connection is gone."""


P, A = PrimaryState, PrimaryInput

PRIMARY_TRANSITIONS: Final[Mapping[tuple[PrimaryState, PrimaryInput], tuple[str, PrimaryState]]] = (
    MappingProxyType(
        {
            (P.DISCONNECTED, A.CONNECT): ("send_snrm", P.CONNECTING),
            (P.DISCONNECTED, A.DISCONNECT): ("report_released", P.DISCONNECTED),
            (P.DISCONNECTED, A.UI): ("take_unnumbered", P.DISCONNECTED),
            (P.DISCONNECTED, A.UI_FINAL): ("take_unnumbered", P.DISCONNECTED),
            (P.CONNECTING, A.UA): ("report_connected", P.READY),
            (P.CONNECTING, A.DM): ("report_refused", P.DISCONNECTED),
            (P.CONNECTING, A.FRMR): ("report_rejected", P.DISCONNECTED),
            (P.CONNECTING, A.UI): ("take_unnumbered", P.CONNECTING),
            (P.CONNECTING, A.UI_FINAL): ("take_unnumbered", P.CONNECTING),
            (P.CONNECTING, A.TIMEOUT): ("send_snrm", P.CONNECTING),
            (P.CONNECTING, A.EXHAUSTED): ("report_silent", P.DISCONNECTED),
            (P.CONNECTING, A.DISCONNECT): ("send_disc", P.RELEASING),
            (P.READY, A.SPEAK): ("speak", P.AWAITING),
            (P.READY, A.I): ("take_information", P.READY),
            (P.READY, A.I_FINAL): ("take_information", P.READY),
            (P.READY, A.RR_RNR): ("take_number", P.READY),
            (P.READY, A.RR_RNR_FINAL): ("take_number", P.READY),
            (P.READY, A.UI): ("take_unnumbered", P.READY),
            (P.READY, A.UI_FINAL): ("take_unnumbered", P.READY),
            (P.READY, A.DM): ("report_gone", P.DISCONNECTED),
            (P.READY, A.FRMR): ("report_rejected", P.DISCONNECTED),
            (P.READY, A.INACTIVITY): ("report_inactive", P.DISCONNECTED),
            (P.READY, A.DISCONNECT): ("send_disc", P.RELEASING),
            (P.READY, A.EXHAUSTED): ("report_silent", P.DISCONNECTED),
            (P.READY, A.OVERFLOW): ("send_disc", P.RELEASING),
            (P.AWAITING, A.I): ("take_information", P.AWAITING),
            (P.AWAITING, A.I_FINAL): ("take_information", P.READY),
            (P.AWAITING, A.RR_RNR): ("take_number", P.AWAITING),
            (P.AWAITING, A.RR_RNR_FINAL): ("take_number", P.READY),
            (P.AWAITING, A.UI): ("take_unnumbered", P.AWAITING),
            (P.AWAITING, A.UI_FINAL): ("take_unnumbered", P.READY),
            (P.AWAITING, A.DM): ("report_gone", P.DISCONNECTED),
            (P.AWAITING, A.FRMR): ("report_rejected", P.DISCONNECTED),
            (P.AWAITING, A.TIMEOUT): ("enquire", P.AWAITING),
            (P.AWAITING, A.EXHAUSTED): ("report_silent", P.DISCONNECTED),
            (P.AWAITING, A.DISCONNECT): ("send_disc", P.RELEASING),
            (P.AWAITING, A.OVERFLOW): ("send_disc", P.RELEASING),
            (P.RELEASING, A.UA): ("report_released", P.DISCONNECTED),
            (P.RELEASING, A.DM): ("report_released", P.DISCONNECTED),
            (P.RELEASING, A.UI): ("take_unnumbered", P.RELEASING),
            (P.RELEASING, A.UI_FINAL): ("take_unnumbered", P.RELEASING),
            (P.RELEASING, A.TIMEOUT): ("send_disc", P.RELEASING),
            (P.RELEASING, A.EXHAUSTED): ("report_released", P.DISCONNECTED),
        }
    )
)
"""The client."""

T, B = SecondaryState, SecondaryInput

SECONDARY_TRANSITIONS: Final[Mapping[tuple[SecondaryState, SecondaryInput], tuple[str, SecondaryState]]] = (
    MappingProxyType(
        {
            (T.NDM, B.SNRM): ("connect", T.NRM),
            (T.NDM, B.SNRM_REFUSED): ("answer_dm", T.NDM),
            (T.NDM, B.DISC): ("answer_dm", T.NDM),
            (T.NDM, B.I): ("answer_dm", T.NDM),
            (T.NDM, B.RR_RNR): ("answer_dm", T.NDM),
            (T.NDM, B.INVALID): ("answer_dm", T.NDM),
            (T.NDM, B.UI): ("take_unnumbered", T.NDM),
            (T.NRM, B.SNRM): ("connect_again", T.NRM),
            (T.NRM, B.SNRM_REFUSED): ("disconnect_with_dm", T.NDM),
            (T.NRM, B.DISC): ("disconnect", T.NDM),
            (T.NRM, B.I): ("take_information", T.NRM),
            (T.NRM, B.RR_RNR): ("take_number", T.NRM),
            (T.NRM, B.UI): ("take_unnumbered", T.NRM),
            (T.NRM, B.INVALID): ("reject", T.FRAME_REJECT),
            (T.NRM, B.INACTIVITY): ("abort", T.NDM),
            (T.NRM, B.CLOSED): ("abort", T.NDM),
            (T.FRAME_REJECT, B.SNRM): ("connect_again", T.NRM),
            (T.FRAME_REJECT, B.SNRM_REFUSED): ("disconnect_with_dm", T.NDM),
            (T.FRAME_REJECT, B.DISC): ("disconnect", T.NDM),
            (T.FRAME_REJECT, B.I): ("reject_again", T.FRAME_REJECT),
            (T.FRAME_REJECT, B.RR_RNR): ("reject_again", T.FRAME_REJECT),
            (T.FRAME_REJECT, B.INVALID): ("reject_again", T.FRAME_REJECT),
            (T.FRAME_REJECT, B.UI): ("take_unnumbered", T.FRAME_REJECT),
            (T.FRAME_REJECT, B.INACTIVITY): ("abort", T.NDM),
            (T.FRAME_REJECT, B.CLOSED): ("abort", T.NDM),
        }
    )
)
"""The server, towards one client and for one logical device."""
