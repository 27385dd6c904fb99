"""The server's end of an HDLC line: one physical device, its logical devices, any clients.

Each pair of client and logical device has a :class:`~cosem.link.hdlc.secondary.Secondary`
of its own. This module finds it: which addresses are ours, in which length, what
goes to everybody, who is refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived, LinkEvent
from cosem.link.hdlc.address import (
    ALL_STATION,
    CALLING_PHYSICAL_DEVICE,
    MANAGEMENT_LOGICAL_DEVICE,
    RECEIVED_LENGTHS,
    HdlcAddress,
    Reception,
)
from cosem.link.hdlc.frame import Frame, FrameKind, control_octet, frame_octets
from cosem.link.hdlc.line import LARGEST_MESSAGE, Line, earliest
from cosem.link.hdlc.llc import COMMAND, RESPONSE, split_llc
from cosem.link.hdlc.parameters import DEFAULT_PARAMETERS, HdlcParameters
from cosem.link.hdlc.secondary import Secondary
from cosem.link.hdlc.states import SecondaryInput, SecondaryState

__all__ = ["HdlcServerLink"]

_MOST_EVENTS = 256


class HdlcServerLink(Line):
    """The server's end of one line.

    An answer is sent when the client has given the turn, which it has while it waits for one.

    Args:
        logical_devices: Upper addresses that are served; 1 is the management logical device.
        physical: The lower address; ``None`` if calls without one, or with any, are meant for this device. With one,
            calls without are left to others.
        address_size: Octets of the own address, 1, 2 or 4, that decide about calls in another length
            (:data:`~cosem.link.hdlc.address.RECEIVED_LENGTHS`); 0 takes calls in every length that can name the device.
        clients: Who is served; ``None``: everybody. Others get DM.
        most_links: Links at the same time; one more gets DM.
        parameters: The most that is agreed to.
        calling_device: Whether this device opened the physical connection: then it answers to CALLING.
        unsolicited: Whether unconfirmed APDUs go out at once, as on a port that only pushes, and not when a
            client gives the turn.
        segmented_push: Whether an unconfirmed APDU that is too long for a frame is sent in several UI frames, as
            some meters do, and not refused.
        inactivity_timeout: Seconds without a frame after which a link is dropped; 0: never.
        inter_octet_timeout: Seconds of silence after which an unfinished frame is given up.
        most: Longest message that is taken, octets.
    """

    def __init__(
        self,
        logical_devices: Collection[int] = (MANAGEMENT_LOGICAL_DEVICE,),
        *,
        physical: int | None = None,
        address_size: int = 0,
        clients: Container[int] | None = None,
        most_links: int = 8,
        parameters: HdlcParameters = DEFAULT_PARAMETERS,
        calling_device: bool = False,
        unsolicited: bool = False,
        segmented_push: bool = False,
        inactivity_timeout: float = 120.0,
        inter_octet_timeout: float = 1.0,
        most: int = LARGEST_MESSAGE,
    ) -> None:
        super().__init__(inter_octet_timeout=inter_octet_timeout, most=most)
        self.logical_devices = tuple(logical_devices)
        self.physical = physical
        for upper in self.logical_devices:  # fails at once if an address does not fit
            HdlcAddress(upper, physical, address_size)
        self.parameters = parameters
        self.most = most
        self.inactivity_timeout = inactivity_timeout
        self._address_size = address_size
        self._clients = clients
        self._most_links = most_links
        self._calling_device = calling_device
        self._unsolicited = unsolicited
        self._segmented_push = segmented_push
        self._links: dict[tuple[int, int], Secondary] = {}
        self._pushes: deque[tuple[int, int, bytes]] = deque()
        self._busy = False

    # --- for the transport ------------------------------------------------------------------------

    @property
    def links(self) -> tuple[tuple[int, int], ...]:
        """The client and the logical device of every link that is up."""
        return tuple(self._links)

    def send(self, apdu: bytes, source: int, destination: int, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU from the logical device ``source`` to the client ``destination``.

        Confirmed: in I frames, on the link of the two; if it is gone meanwhile, the APDU is dropped and counted in
        :attr:`ignored`. Unconfirmed: in UI frames, when a client gives the turn next; without room it is dropped and
        counted, too.

        Raises:
            EncodeError: An unconfirmed APDU does not fit into one frame.
        """
        link = self._links.get((destination, source))
        if confirmed:
            if link is None or not link.send(RESPONSE + apdu, now):
                self.ignored += 1
            return
        most = self.unconfirmed_size(source, destination)
        if most and len(apdu) > most:
            raise EncodeError(
                f"an unconfirmed APDU of {len(apdu)} octets does not fit into a UI frame, {most} do"
            )
        if len(self._pushes) >= _MOST_EVENTS:
            self.ignored += 1
            return
        self._pushes.append((source, destination, RESPONSE + apdu))
        if self._unsolicited:
            self.push(final=True)

    def unconfirmed_size(self, source: int, destination: int) -> int:
        """Return the longest APDU that goes into one UI frame; 0 where several frames may carry it."""
        if self._segmented_push:
            return 0
        link = self._links.get((destination, source))
        return (link.parameters if link else self.parameters).max_info_transmit - len(RESPONSE)

    def unconfirmed_room(self) -> int | None:
        """Return how many more unconfirmed APDUs can wait for the turn; ``None`` where they do not wait for it."""
        return None if self._unsolicited else _MOST_EVENTS - len(self._pushes)

    def give_turn(self, source: int, destination: int, now: float) -> None:
        """Give the turn back to the client ``destination``: ``source`` has no answer to its last APDU."""
        link = self._links.get((destination, source))
        if link is not None:
            link.give_turn(now)

    def set_busy(self, *, busy: bool) -> None:
        """Say whether nothing more can be taken at present: RNR instead of RR."""
        self._busy = busy

    def close(self, now: float) -> None:
        """Take note that the physical connection is gone: ``Disconnected`` follows for every link."""
        for link in tuple(self._links.values()):
            link.fire(SecondaryInput.CLOSED, now)
        self._keep()

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        return earliest(self._silence, *(link.inactive_at for link in self._links.values()))

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        self._listen(now)
        for link in tuple(self._links.values()):
            if link.inactive_at is not None and now >= link.inactive_at:
                link.fire(SecondaryInput.INACTIVITY, now)
        self._keep()

    # --- for the stations ---------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether nothing more can be taken at present."""
        return self._busy

    def put(self, octets: bytes) -> None:
        """Queue octets."""
        self._out += octets

    def report(self, event: LinkEvent) -> None:
        """Queue an event."""
        self._events.append(event)

    def take_unnumbered(self, frame: Frame, logical_devices: tuple[int, ...]) -> None:
        """Take a UI frame for one logical device or several."""
        taken = self._unnumbered.take(frame) if frame.information else None
        if taken is None:
            return
        try:
            apdu, findings = split_llc(taken[0], COMMAND)
        except FrameError:
            self.ignored += 1
            return
        self.findings.update(findings)
        client = frame.source.upper
        for upper in logical_devices:
            self.report(ApduReceived(apdu, client, upper, confirmed=False, findings=findings))

    @property
    def has_pushes(self) -> bool:
        """Whether unconfirmed APDUs wait for the turn."""
        return bool(self._pushes)

    def push(self, *, final: bool) -> None:
        """Send every unconfirmed APDU that waits; ``final`` gives the turn back with the last frame."""
        while self._pushes:
            source, destination, message = self._pushes.popleft()
            link = self._links.get((destination, source))
            called = link.called if link else self._own(source)
            addresses = HdlcAddress(destination, size=1).octets + called.octets
            most = (link.parameters if link else self.parameters).max_info_transmit
            for at in range(0, len(message), most):
                more = at + most < len(message)
                last = final and not more and not self._pushes
                self.put(
                    frame_octets(
                        addresses,
                        control_octet(FrameKind.UI, final=last),
                        message[at : at + most],
                        segmented=more,
                    )
                )

    def _own(self, upper: int) -> HdlcAddress:
        return HdlcAddress(upper, self.physical, self._address_size)

    def _keep(self) -> None:
        """Forget the links that are down."""
        for pair, link in tuple(self._links.items()):
            if link.state is SecondaryState.NDM:
                del self._links[pair]

    # --- who is meant ---------------------------------------------------------------------------------

    def _frame(self, frame: Frame, now: float) -> None:
        """Take one good frame."""
        source, destination, control = frame.source, frame.destination, frame.control
        if source.size != 1 or source.is_group or not self._is_ours(destination):
            self.ignored += 1
            return
        if destination.is_group:
            if control.kind is not FrameKind.UI or control.final:
                self.ignored += 1  # an answer would be a collision
                return
            self.take_unnumbered(frame, self._meant(destination))
            return
        for upper in self._meant(destination):
            self._to_station(frame, upper, now)

    def _is_ours(self, called: HdlcAddress) -> bool:
        """Return whether a call is for this physical device (the table of received and configured lengths)."""
        rule = RECEIVED_LENGTHS[called.size, self._address_size or called.size]
        lower_all = called.lower == ALL_STATION
        if rule is Reception.DISCARD:
            return False
        if rule is Reception.LOWER_ALL_STATION:
            return lower_all
        if rule is Reception.BOTH_ALL_STATION:
            return lower_all and called.upper == ALL_STATION
        if called.lower == CALLING_PHYSICAL_DEVICE:
            return self._calling_device and (
                rule is Reception.COMPARE or called.upper == MANAGEMENT_LOGICAL_DEVICE
            )
        if rule is Reception.SPECIAL_ONLY:
            return lower_all and called.upper == ALL_STATION
        # Without a lower address everybody on a line is called: who has one of his own leaves it to others.
        return lower_all or self.physical in {None, called.lower}

    def _meant(self, called: HdlcAddress) -> tuple[int, ...]:
        """Return the logical devices that a call is for."""
        if called.upper == ALL_STATION:
            return self.logical_devices
        if called.upper in self.logical_devices:
            return (called.upper,)
        self.ignored += 1
        return ()

    def _to_station(self, frame: Frame, upper: int, now: float) -> None:
        client = frame.source.upper
        link = self._links.get((client, upper))
        if link is None:
            link = Secondary(self, client, upper)
        called = frame.destination
        if called.lower == CALLING_PHYSICAL_DEVICE and self.physical is not None:
            called = HdlcAddress(upper, self.physical, called.size)
        link.take(frame, called, now, refused=self._refuses(client, upper))
        if link.state is SecondaryState.NDM:
            self._links.pop((client, upper), None)
        else:
            self._links[client, upper] = link

    def _refuses(self, client: int, upper: int) -> bool:
        if self._clients is not None and client not in self._clients:
            return True
        return (client, upper) not in self._links and len(self._links) >= self._most_links
