"""What a URL and the arguments of a call say together, before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from logging import getLogger
from types import NoneType
from typing import TYPE_CHECKING, Final, TypedDict

from cosem.association.client.association import ClientAssociation
from cosem.association.client.parameters import AssociationParameters
from cosem.client.session import Session
from cosem.connecting.profiles import Profile, profile_of
from cosem.errors import ConfigurationError
from cosem.transport.timeouts import DEFAULT_TIMEOUTS, Timeouts
from cosem.transport.url import Address, parse_url
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance

if TYPE_CHECKING:
    from cosem.association.client.blocks import BlockSettings
    from cosem.association.client.preparation import ClientSecurity
    from cosem.association.short_names.table import ShortNameTable
    from cosem.transport.observing import Observer

__all__ = ["ConnectOptions", "Plan", "plan_of"]

_log = getLogger(__name__)

PUBLIC_CLIENT: Final = 16
MANAGEMENT_LOGICAL_DEVICE: Final = 1
_SLOW_CONNECT: Final = 40.0
"""Seconds to connect on a serial line."""
_COMMON: Final = frozenset(
    {"client", "server", "max_pdu_size", "timeout", "retries", "strict", "short_names"}
)

_SECRETS: Final = frozenset({"password", "key", "keys", "secret", "ek", "ak", "guek", "gak"})


class ConnectOptions(TypedDict, total=False):
    """What a connection may be told besides its URL; see :func:`cosem.connecting.connect`."""

    client: int | None
    server: int | None
    physical: int | None
    password: str | bytes | None
    security: ClientSecurity | None
    conformance: Conformance | None
    max_pdu_size: int | None
    timeouts: Timeouts | float | None
    retries: int | None
    repeat_writes: bool
    strict: bool | None
    any_invoke_id: bool
    block_transfer: BlockSettings | None
    confirmed: bool
    pre_established: bool
    short_names: bool | ShortNameTable | None
    hls_selector: int
    read_counter: bool
    observer: Observer | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a client is made of, before anything is opened."""

    address: Address
    parameters: AssociationParameters
    security: ClientSecurity | None
    timeouts: Timeouts
    retries: int
    repeat_writes: bool
    strict: bool
    any_invoke_id: bool
    observer: Observer | None
    mapper_table: ShortNameTable | None = None
    read_counter: bool = False
    block_transfer: BlockSettings | None = None

    def association(self) -> ClientAssociation:
        """Return a fresh association, with what security contributes to it, and the base names that are known."""
        association = self._secured_association()
        if self.mapper_table is not None:
            association.set_mapper_table(self.mapper_table.with_association())
        return association

    def _secured_association(self) -> ClientAssociation:
        if self.security is None:
            return ClientAssociation(
                self.parameters,
                strict=self.strict,
                any_invoke_id=self.any_invoke_id,
                block_transfer=self.block_transfer,
            )
        prepared = self.security.prepare(self.parameters)
        return ClientAssociation(
            prepared.parameters,
            protection=prepared.protection,
            authenticator=prepared.authenticator,
            strict=self.strict,
            any_invoke_id=self.any_invoke_id,
            block_transfer=self.block_transfer,
        )

    def without_general_blocks(self) -> Plan:
        """Return the same without general block transfer."""
        conformance = self.parameters.proposed_conformance & ~Conformance.GENERAL_BLOCK_TRANSFER
        return replace(self, parameters=replace(self.parameters, conformance=conformance))

    def session(self) -> Session:
        """Return a fresh session."""
        return Session(retries=self.retries, repeat_writes=self.repeat_writes)

    def profile(self) -> Profile:
        """Return the profile of the address."""
        return profile_of(self.address)


def plan_of(
    url: str,
    *,
    client: int | None = None,
    server: int | None = None,
    physical: int | None = None,
    password: str | bytes | None = None,
    security: ClientSecurity | None = None,
    conformance: Conformance | None = None,
    max_pdu_size: int | None = None,
    timeouts: Timeouts | float | None = None,
    retries: int | None = None,
    repeat_writes: bool = False,
    strict: bool | None = None,
    any_invoke_id: bool = False,
    block_transfer: BlockSettings | None = None,
    confirmed: bool = True,
    pre_established: bool = False,
    short_names: bool | ShortNameTable | None = None,
    hls_selector: int = 0,
    read_counter: bool = False,
    observer: Observer | None = None,
) -> Plan:
    """Return what the URL and the arguments say together.

    Raises:
        ConfigurationError: They contradict each other, or mean nothing.
    """
    address = parse_url(url)
    if physical is not None:
        number = _number(address, "physical", physical, physical)
        address = replace(address, options=address.options | {"physical": str(number)})
    known = _COMMON if address.scheme == "sim" else _COMMON | profile_of(address).options
    if unknown := sorted(address.options.keys() - known):
        hint = "; secrets do not belong in a URL, give them by themselves" if _SECRETS & set(unknown) else ""
        raise ConfigurationError(
            f"unknown option {', '.join(unknown)} for {address}{hint}; known are {', '.join(sorted(known))}"
        )
    if password is not None and security is not None:
        raise ConfigurationError("give a password or security, not both")
    if not isinstance(password, (str, bytes, bytearray, NoneType)):
        raise ConfigurationError(f"a password is a text or octets, not {type(password).__name__}")
    if security is not None and not callable(getattr(security, "prepare", None)):
        raise ConfigurationError(
            f"{type(security).__name__} is no security; use one such as LowLevel, HighGmac or Ciphered"
        )
    retries = _number(address, "retries", retries, 1)
    if not 0 <= retries <= 100:
        raise ConfigurationError(f"retries {retries} are outside 0..100")
    table: ShortNameTable | None = None
    if short_names is not None and not isinstance(short_names, bool):
        table, short_names = short_names, True
    by_short_name = _truth(address, "short_names", short_names)
    parameters = AssociationParameters(
        client_sap=_number(address, "client", client, PUBLIC_CLIENT),
        server_sap=_number(address, "server", server, MANAGEMENT_LOGICAL_DEVICE),
        application_context=ApplicationContext.SN if by_short_name else ApplicationContext.LN,
        mechanism=AuthenticationMechanism.LOWEST if password is None else AuthenticationMechanism.LLS,
        secret=password.encode() if isinstance(password, str) else password,
        conformance=conformance,
        client_max_receive_pdu_size=_number(address, "max_pdu_size", max_pdu_size, 0xFFFF),
        confirmed=confirmed,
        pre_established=pre_established,
        hls_selector=hls_selector,
    )
    if address.scheme != "sim" and not profile_of(address).keeps_order:
        parameters = replace(_over_datagrams(parameters, conformance, security, address), keeps_order=False)
    return Plan(
        address,
        parameters,
        security,
        _timeouts(address, timeouts),
        retries,
        repeat_writes,
        _truth(address, "strict", strict),
        any_invoke_id,
        observer,
        table,
        read_counter,
        block_transfer,
    )


def _over_datagrams(
    parameters: AssociationParameters,
    conformance: Conformance | None,
    security: ClientSecurity | None,
    address: Address,
) -> AssociationParameters:
    """Return the parameters without what a datagram that comes late or twice would make wrong values of."""
    if getattr(security, "ciphering", None) is not None:
        return parameters  # a tag and a counter tell it
    if parameters.application_context.short_names:
        _log.warning(
            "%s: short names in clear over datagrams: an answer that comes twice passes for the next one",
            address,
        )
    if conformance is None:
        proposed = parameters.proposed_conformance & ~Conformance.GENERAL_BLOCK_TRANSFER
        return replace(parameters, conformance=proposed)
    return parameters


def _number(address: Address, name: str, given: int | None, default: int) -> int:
    """Return a number given as an argument or in the URL, which may both give it if they agree."""
    in_url = address.number(name, default)
    if given is None:
        return in_url
    if isinstance(given, bool) or not isinstance(given, int):
        raise ConfigurationError(f"{name} is {given!r}: a whole number is wanted")
    if name in address.options and in_url != given:
        raise ConfigurationError(f"{name} is {in_url} in the URL, but {given} was asked for")
    return given


def _truth(address: Address, name: str, given: bool | None) -> bool:
    """Return a truth value given as an argument or in the URL."""
    if name not in address.options:
        return bool(given)
    in_url = address.truth(name)
    if given is not None and given != in_url:
        raise ConfigurationError(f"{name} is {in_url} in the URL, but {given} was asked for")
    return in_url


def _timeouts(address: Address, given: Timeouts | float | None) -> Timeouts:
    """Return the time-outs; a number is the time for one answer, and raises the others that are shorter."""
    text = address.options.get("timeout")
    if text is not None:
        try:
            in_url = float(text)
        except ValueError:
            raise ConfigurationError(f"option timeout={text!r} is no number of seconds") from None
        if given is not None and (given.answer if isinstance(given, Timeouts) else given) != in_url:
            raise ConfigurationError(f"timeout is {in_url:g} s in the URL, but another one was asked for")
        given = in_url if given is None else given
    if isinstance(given, Timeouts):
        return given
    usual = DEFAULT_TIMEOUTS
    if address.scheme in {"serial", "rfc2217"} or "mode_e" in address.options:
        # A sign-on at 300 baud, and frames that are repeated on a slow line, take their time; both give up by
        # themselves, and say why.
        usual = replace(usual, connect=_SLOW_CONNECT)
    if given is None:
        return usual
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise ConfigurationError(f"timeouts are {given!r}: Timeouts, or a number of seconds is wanted")
    return replace(usual, answer=float(given), transfer=max(usual.transfer, float(given)))
