"""The associations that a recording knows: which services they agreed on, and how they are played for any client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu import decode
from cosem.association.client.parameters import ALL_SERVICES_LN, ALL_SERVICES_SN
from cosem.association.server.profile import AssociationProfile
from cosem.association.short_names.layout import MemberKind
from cosem.association.short_names.table import ShortNameMember, ShortNameTable
from cosem.errors import CosemError
from cosem.server.replay_knowledge import SHORT_NAMES
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu.acse import AARQ
    from cosem.security.counters import CounterName, CounterStore, InvocationCounter
    from cosem.security.keys import Keys
    from cosem.transport.recording import Recording

__all__ = ["ReplayProfiles", "conformance_of"]

_AARQ, _AARE = 0x60, 0x61
_SHORT_NAME_REQUESTS: Final = frozenset({0x05, 0x06})
_USUAL: Final = (
    Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
"""What lets a client ask in other portions than those that were recorded."""
_OF_NAMES: Final = {
    False: Conformance.GET | Conformance.SELECTIVE_ACCESS | _USUAL,
    True: Conformance.READ | Conformance.PARAMETERIZED_ACCESS | _USUAL,
}


class _EveryVariable(ShortNameTable):
    """A table in which each variable is an object of its own."""

    def member(self, short_name: int) -> ShortNameMember:
        """Return the object that stands for a variable."""
        name = LogicalName(short_name.to_bytes(6, "big"))
        return ShortNameMember(SHORT_NAMES, 0, name, MemberKind.ATTRIBUTE, 1)


_TABLE: Final = _EveryVariable()


def conformance_of(octets: bytes, plain: bytes | None = None) -> Conformance | None:
    """Return what an AARE agreed on; ``None`` if it says nothing that can be read.

    Args:
        octets: The AARE.
        plain: Its InitiateResponse, if that is ciphered.
    """
    try:
        aare: Any = decode(octets, findings=[])
        initiate: Any = decode(plain or aare.user_information or b"", findings=[])
        return Conformance(initiate.negotiated_conformance)
    except (CosemError, AttributeError, TypeError, ValueError):
        return None


class _Beyond:
    """Counters that begin behind those of the recording: with one key no counter may be used twice."""

    def __init__(self, inner: CounterStore, first: int) -> None:
        self._inner = inner
        self._first = first

    @property
    def salt(self) -> bytes:
        """What goes into the fingerprints of keys."""
        return self._inner.salt

    def counter(self, name: CounterName) -> InvocationCounter:
        """Return the counter of a key and a sender."""
        counter = self._inner.counter(name)
        counter.raise_to(self._first)
        return counter

    def reserve(self, name: CounterName, count: int, least: int = 0) -> range:
        """Take values for sending."""
        return self._inner.reserve(name, count, max(least, self._first))

    def peek(self, name: CounterName) -> int:
        """Return the value from which the next reservation begins."""
        return max(self._inner.peek(name), self._first)

    def lowest_acceptable(self, name: CounterName) -> int:
        """Return the lowest counter that is still accepted from a sender."""
        return self._inner.lowest_acceptable(name)

    def accept(self, name: CounterName, counter: int, *, durable: bool = True) -> bool:
        """Note a counter whose message was verified."""
        return self._inner.accept(name, counter, durable=durable)


class ReplayProfiles:
    """Makes the association that a client asks for.

    Args:
        recording: The recording.
        plain: What was in the APDUs that are ciphered, by their places among the entries.
        keys: Those of the meter in it.
        counters: Where our own counters are kept; by default a file of the user.
        first: The lowest counter that may be used for sending: those below were used in the recording.

    Raises:
        CosemError: The keys do not fit the associations in the recording.
    """

    def __init__(
        self,
        recording: Recording,
        plain: Mapping[int, bytes],
        keys: Keys | None,
        counters: CounterStore | None = None,
        first: int = 0,
    ) -> None:
        apdus = [(place, each) for place, each in enumerate(recording.entries) if each.kind == "apdu"]
        agreed = Conformance(0)
        for place, entry in apdus:
            if entry.octets[0] == _AARE:
                agreed |= conformance_of(entry.octets, plain.get(place)) or Conformance(0)
        self.agreed = agreed
        self.opened = any(entry.octets[0] == _AARQ for _, entry in apdus)
        self.short_names = any(entry.sent and entry.octets[0] in _SHORT_NAME_REQUESTS for _, entry in apdus)
        self._held: dict[tuple[ApplicationContext, AuthenticationMechanism], AssociationProfile] = {}
        if keys is not None:
            self._hold(_opened(apdus), keys, counters, first)

    def _hold(
        self,
        found: Iterator[tuple[AARQ, bytes | None]],
        keys: Keys,
        counters: CounterStore | None,
        first: int,
    ) -> None:
        from cosem.security.counters import ReplayMode
        from cosem.security.policy import SecurityPolicyV1
        from cosem.security.system_title import SystemTitle
        from cosem.server.security import secured_profile

        if counters is None:
            from cosem.store.default_counters import default_counter_store

            counters = default_counter_store()
        beyond = _Beyond(counters, first)
        for aarq, title in found:
            context = aarq.application_context_name
            mechanism = aarq.mechanism_name or AuthenticationMechanism.LOWEST
            if not isinstance(context, ApplicationContext) or not isinstance(
                mechanism, AuthenticationMechanism
            ):
                continue
            if (context, mechanism) in self._held:
                continue
            if not context.ciphered and mechanism <= AuthenticationMechanism.LLS:
                continue
            own = keys if title is None else replace(keys, server_title=SystemTitle(title))
            self._held[context, mechanism] = secured_profile(
                mechanism,
                replace(own, client_title=None),
                client_sap=1,
                ciphered=context.ciphered,
                policy=SecurityPolicyV1.NOTHING,
                short_names=context.short_names,
                counters=beyond,
                replay=ReplayMode.OFF,  # whoever plays a meter again begins again
                allow_test_keys=True,
                conformance=self._services(short_names=context.short_names) | Conformance.GENERAL_PROTECTION,
            )

    @property
    def ciphered(self) -> bool:
        """Whether clients can cipher or authenticate with keys."""
        return bool(self._held)

    def _services(self, *, short_names: bool) -> Conformance:
        every = ALL_SERVICES_SN if short_names else ALL_SERVICES_LN
        return ((self.agreed or every) | _OF_NAMES[short_names]) & (every | Conformance.GENERAL_PROTECTION)

    def pre_established(self, client_sap: int) -> tuple[AssociationProfile, ...]:
        """Return the association that nobody opened, for a recording in which nobody opened one."""
        if self.opened:
            return ()
        context = ApplicationContext.SN if self.short_names else ApplicationContext.LN
        return (
            AssociationProfile(
                client_sap,
                context,
                conformance=self._services(short_names=self.short_names),
                pre_established=True,
                short_names=_table if self.short_names else None,
            ),
        )

    def of(
        self, client_sap: int, octets: bytes, agreed: Conformance | None
    ) -> tuple[AssociationProfile, ...]:
        """Return the association that an AARQ asks for.

        Args:
            client_sap: Address of the client.
            octets: The AARQ.
            agreed: What the recorded answer to it agrees on; ``None`` if there is none.
        """
        try:
            aarq: Any = decode(octets, findings=[])
            context = aarq.application_context_name
            mechanism = AuthenticationMechanism(aarq.mechanism_name or 0)
        except (CosemError, AttributeError, ValueError):
            return ()
        if not isinstance(context, ApplicationContext):
            return ()
        held = self._held.get((context, mechanism))
        if held is not None:
            return (
                replace(held, client_sap=client_sap, short_names=_table if context.short_names else None),
            )
        password = aarq.calling_authentication_value
        known = isinstance(password, bytes)
        lls = mechanism is AuthenticationMechanism.LLS and known
        return (
            AssociationProfile(
                client_sap,
                ApplicationContext.SN if context.short_names else ApplicationContext.LN,
                AuthenticationMechanism.LLS if lls else AuthenticationMechanism.LOWEST,
                agreed if agreed is not None else self._services(short_names=context.short_names),
                # The password is not in the recording: every one is right.
                secret=_always(bytes(password)) if lls else None,
                short_names=_table if context.short_names else None,
            ),
        )


def _table() -> ShortNameTable:
    return _TABLE


def _always(password: bytes) -> Callable[[], bytes]:
    return lambda: password


def _opened(apdus: list[tuple[int, Any]]) -> Iterator[tuple[AARQ, bytes | None]]:
    """Return the associations that were asked for, with the titles of the meter that answered."""
    asked: Any = None
    for _, entry in apdus:
        try:
            if entry.octets[0] == _AARQ:
                asked = decode(entry.octets, findings=[])
            elif entry.octets[0] == _AARE and asked is not None:
                yield asked, decode(entry.octets, findings=[]).responding_ap_title
                asked = None
        except (CosemError, AttributeError):
            continue
