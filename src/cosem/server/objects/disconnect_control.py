"""Disconnect control at the server: the switch of the premises (Blue Book, class_id 70).

The transitions are those of the figure of the Blue Book, with its letters; the
control mode says which of them are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final

from cosem.classes.standard.disconnect_control import ControlState, DisconnectControlVersion0
from cosem.server.objects.base import CosemObject
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

__all__ = ["MODES", "TRANSITIONS", "Command", "DisconnectControlObject"]


class Command(Enum):
    """What moves the switch: a client or a script, somebody at the meter, or the meter itself."""

    REMOTE_DISCONNECT = auto()
    REMOTE_RECONNECT = auto()
    MANUAL_DISCONNECT = auto()
    MANUAL_RECONNECT = auto()
    LOCAL_DISCONNECT = auto()
    LOCAL_RECONNECT = auto()


_S, _C = ControlState, Command
TRANSITIONS: Final[Mapping[str, tuple[ControlState, Command, ControlState]]] = MappingProxyType(
    {
        "a": (_S.DISCONNECTED, _C.REMOTE_RECONNECT, _S.CONNECTED),
        "b": (_S.CONNECTED, _C.REMOTE_DISCONNECT, _S.DISCONNECTED),
        "c": (_S.READY_FOR_RECONNECTION, _C.REMOTE_DISCONNECT, _S.DISCONNECTED),
        "d": (_S.DISCONNECTED, _C.REMOTE_RECONNECT, _S.READY_FOR_RECONNECTION),
        "e": (_S.READY_FOR_RECONNECTION, _C.MANUAL_RECONNECT, _S.CONNECTED),
        "f": (_S.CONNECTED, _C.MANUAL_DISCONNECT, _S.READY_FOR_RECONNECTION),
        "g": (_S.CONNECTED, _C.LOCAL_DISCONNECT, _S.READY_FOR_RECONNECTION),
        "h": (_S.READY_FOR_RECONNECTION, _C.LOCAL_RECONNECT, _S.CONNECTED),
        "i": (_S.READY_FOR_RECONNECTION, _C.REMOTE_RECONNECT, _S.CONNECTED),
    }
)
"""The transitions by their letters: from, command, to."""
MODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "",
        1: "bcfgde",
        2: "bcfgae",
        3: "bcgde",
        4: "bcgae",
        5: "bcfgdeh",
        6: "bcgdeh",
        7: "bcgaieh",
    }
)
"""The transitions that each control mode allows; mode 7 came with version 1."""
_RESULTS: Final = {
    _C.REMOTE_DISCONNECT: (_S.DISCONNECTED,),
    _C.REMOTE_RECONNECT: (_S.CONNECTED, _S.READY_FOR_RECONNECTION),
    _C.MANUAL_DISCONNECT: (_S.READY_FOR_RECONNECTION, _S.DISCONNECTED),
    _C.MANUAL_RECONNECT: (_S.CONNECTED,),
    _C.LOCAL_DISCONNECT: (_S.READY_FOR_RECONNECTION, _S.DISCONNECTED),
    _C.LOCAL_RECONNECT: (_S.CONNECTED,),
}
"""The states in which a command has nothing left to do."""


class DisconnectControlObject(CosemObject, DisconnectControlVersion0):
    """A switch; connected when it is made, unless a state is given.

    Args:
        logical_name: Its name.
        on_change: Called with the new state after each transition.
        values: See :class:`~cosem.server.objects.base.CosemObject`.
    """

    def __init__(
        self,
        logical_name: LogicalName | str = "0.0.96.3.10.255",
        *,
        on_change: Callable[[ControlState], None] | None = None,
        **values: Any,
    ) -> None:
        self.on_change = on_change
        values.setdefault("control_state", ControlState.CONNECTED)
        values.setdefault("output_state", values["control_state"] == ControlState.CONNECTED)
        super().__init__(logical_name, **values)

    def command(self, command: Command) -> ActionResult:
        """Give a command: it takes effect at once or not at all.

        Returns:
            Success also for a command that has nothing left to do; other-reason where the control mode
            does not allow it.
        """
        state, mode = ControlState(self.control_state), int(self.control_mode)
        for letter in MODES.get(mode, ""):
            source, trigger, target = TRANSITIONS[letter]
            if source is state and trigger is command:
                self.put("control_state", target)
                self.put("output_state", target is ControlState.CONNECTED)
                if self.on_change is not None:
                    self.on_change(target)
                return ActionResult.SUCCESS
        done = mode != 0 and state in _RESULTS[command]
        return ActionResult.SUCCESS if done else ActionResult.OTHER_REASON

    def call_remote_disconnect(self) -> ActionResult:
        """Disconnect for a client or a script."""
        return self.command(Command.REMOTE_DISCONNECT)

    def call_remote_reconnect(self) -> ActionResult:
        """Reconnect for a client or a script: at once, or by whoever presses the button, as the mode says."""
        return self.command(Command.REMOTE_RECONNECT)

    def set_control_mode(self, mode: int) -> DataAccessResult:
        """Change the control mode; the switch stays as it is."""
        if mode not in MODES or (mode == 7 and self.version == 0):
            return DataAccessResult.OTHER_REASON
        self.put("control_mode", mode)
        return DataAccessResult.SUCCESS
