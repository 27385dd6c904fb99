"""What every security of a client has in common: from keys to a prepared association."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from logging import getLogger
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypedDict

from cosem.association.client.preparation import PreparedAssociation
from cosem.client.ciphering import Ciphering
from cosem.errors import ConfigurationError, KeyMissingError
from cosem.security.authentication import ClientHls, HlsMechanism, RandomOctets
from cosem.security.counters import LARGEST_JUMP, CounterStore, ReplayMode
from cosem.security.key_material import KEY_SIZES, KeyRole
from cosem.security.keys import Keys
from cosem.store.counted_keys import CountedKeys, weaknesses
from cosem.store.files import read_secret_file
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.client.parameters import AssociationParameters
    from cosem.security.context import SecurityContext
    from cosem.store.protected_data import DataProtector

__all__ = ["INVOCATION_COUNTER", "SecurityOfClient", "Settings"]

INVOCATION_COUNTER: Final = LogicalName("0.0.43.1.0.255")
"""Where a meter shows the counter that it has seen from its client: attribute 2, to the public client."""

_M = AuthenticationMechanism
_CIPHERED: Final = {
    ApplicationContext.LN: ApplicationContext.LN_CIPHERED,
    ApplicationContext.SN: ApplicationContext.SN_CIPHERED,
}
_LEGACY: Final = {
    _M.LLS: "LLS sends the password as it is: whoever listens has it",
    _M.HLS_MD5: "HLS with MD5 is legacy: a short secret can be guessed from what is sent",
    _M.HLS_SHA1: "HLS with SHA-1 is legacy: a short secret can be guessed from what is sent",
}
_log = getLogger(__name__)
_told: set[str] = set()


class Settings(TypedDict, total=False):
    """What every security may be told besides its secrets."""

    counters: CounterStore
    """Where counters are kept; by default a file of the user."""
    replay: ReplayMode | str
    """What happens to an answer whose counter was used before: strict (the default), warn, off."""
    largest_jump: int | None
    """How far a counter of the meter may be beyond the one expected; 2²⁴ by default, ``None`` for any distance."""
    across_associations: bool
    """Whether messages that bring their key, and messages that are only signed, are compared with those of former
    associations; see :class:`~cosem.security.context.SecurityContext`. By default they are."""
    challenge_size: int
    """Octets of our challenge: 8 to 64, with ECDSA 32 to 64; 16 and 32 by default."""
    printable_challenge: bool
    """Whether challenges are letters and digits, for meters that take no others."""
    allow_test_keys: bool
    """Whether nothing is said of keys that everybody knows, and a meter is given such: for demonstrations and tests."""
    random_octets: RandomOctets
    """Where challenges and dedicated keys come from; by default ``secrets.token_bytes``."""


class SecurityOfClient:
    """What all have in common: a ``ClientSecurity`` of :mod:`cosem.association.client.preparation`."""

    mechanism: ClassVar[AuthenticationMechanism]

    def __init__(
        self,
        keys: Keys | Mapping[str, Any] | None,
        ciphering: Ciphering | None,
        settings: Settings,
    ) -> None:
        if unknown := sorted(settings.keys() - Settings.__annotations__.keys()):
            known = ", ".join(sorted(Settings.__annotations__))
            raise ConfigurationError(
                f"{type(self).__name__} has no setting {', '.join(unknown)}; it has {known}. What protects messages"
                " is said by Ciphering(...)"
            )
        if keys is not None and not isinstance(keys, (Keys, Mapping)):
            raise ConfigurationError(
                f"{type(self).__name__} takes Keys, or a mapping of them, and no {type(keys).__name__}"
            )
        self.keys = keys if isinstance(keys, Keys) else Keys.parse(keys, read_secret_file)
        self.ciphering = ciphering
        self._store = settings.get("counters")
        self._mode = ReplayMode(settings.get("replay", ReplayMode.STRICT))
        self._largest_jump = settings.get("largest_jump", LARGEST_JUMP)
        self._across_associations = settings.get("across_associations", True)
        self._challenge_size = settings.get("challenge_size")
        self._printable = settings.get("printable_challenge", False)
        self._random = settings.get("random_octets", secrets.token_bytes)
        self._allow_test_keys = settings.get("allow_test_keys", False)

    def prepare(self, parameters: AssociationParameters) -> PreparedAssociation:
        """Return ``parameters`` with what this security adds, fresh for each opening.

        Raises:
            KeyMissingError: A key, a secret or the system title of the client is missing.
            ConfigurationError: The parameters contradict it.
            SecurityError: The counters cannot be used.
        """
        if parameters.mechanism not in (_M.LOWEST, self.mechanism) or parameters.secret is not None:
            raise ConfigurationError(f"{parameters.mechanism} and {self.mechanism} were both asked for")
        if parameters.pre_established and self.mechanism is not _M.LOWEST:
            raise ConfigurationError("a pre-established association has no authentication")
        self._warn()
        keys = self._keys_with_title(parameters)
        changes: dict[str, Any] = {"mechanism": self.mechanism, "secret": self._password()}
        changes["calling_ap_title"] = keys.client_title
        counted = self._counted(keys, parameters) if self._needs_counters else None
        protection = None
        if self.ciphering is not None and counted is not None:
            context = parameters.application_context
            changes["application_context"] = _CIPHERED.get(context, context)
            if self.ciphering.dedicated:
                changes["dedicated_key"] = self._random(KEY_SIZES[keys.suite])
            if self.ciphering.general:
                changes["conformance"] = parameters.proposed_conformance | Conformance.GENERAL_PROTECTION
            protection = counted.protection(self._context(keys, self.ciphering))
        elif parameters.application_context.ciphered:
            raise ConfigurationError("an application context with ciphering, and no ciphering was asked for")
        hls = self._hls(keys, counted)
        certificate = self._certificate()
        if certificate is not None:
            changes["calling_ae_qualifier"] = certificate
        authenticator = None if hls is None else self._authenticator(hls, keys)
        return PreparedAssociation(replace(parameters, **changes), protection, authenticator)

    def with_keys(self, keys: Keys) -> Self:
        """Return the same security with other keys."""
        other = copy(self)
        other.keys = keys
        return other

    def data_protector(self, random: RandomOctets) -> DataProtector:
        """Return what protects data end to end, with the keys and counters of this security.

        Raises:
            KeyMissingError: A key or the system title of the client is missing.
        """
        from cosem.security.material import material_of
        from cosem.store.protected_data import DataProtector

        keys = self._with_title()
        return DataProtector(self._counted(keys, None), material_of(keys), random)

    @property
    def allows_test_keys(self) -> bool:
        """Whether keys that everybody knows are taken without a word."""
        return self._allow_test_keys

    @property
    def counts(self) -> bool:
        """Whether anything that it sends has an invocation counter."""
        return self._needs_counters

    def last_counter(self) -> int:
        """Return the counter after the last one that was ever reserved under the global unicast key; 0 for none.

        Raises:
            KeyMissingError: The key or the system title of the client is missing.
        """
        return self._counted(self._with_title(), None).last_reserved()

    def raise_counter(self, seen: int, role: KeyRole = KeyRole.GLOBAL_UNICAST_ENCRYPTION) -> None:
        """Go on after a counter that the meter has seen, if ours is behind; it never goes back.

        The meter shows it to the public client: attribute 2 of :data:`INVOCATION_COUNTER`. Take it from
        there, and not from an exception-response, which anybody can forge.

        Args:
            seen: What the meter says.
            role: Of which key.

        Raises:
            KeyMissingError: The key or the system title of the client is missing.
            CounterExhausted: Nothing can follow.
        """
        self._counted(self._with_title(), None).counter(role).raise_to(seen + 1)

    def _with_title(self) -> Keys:
        if self.keys.client_title is None:
            raise KeyMissingError("the system title of the client is missing: Keys(client_title=...)")
        return self.keys

    @property
    def _needs_counters(self) -> bool:
        return self.ciphering is not None

    @property
    def _needs_title(self) -> bool:
        return self.ciphering is not None or self.mechanism >= _M.HLS_GMAC

    def _hls(self, keys: Keys, counted: CountedKeys | None) -> HlsMechanism | None:
        """Return the mechanism of HLS, if there is one."""
        del keys, counted
        return None

    def _password(self) -> bytes | None:
        return None

    def _certificate(self) -> bytes | None:
        return None

    def _keys_with_title(self, parameters: AssociationParameters) -> Keys:
        keys, given = self.keys, parameters.calling_ap_title
        if given is not None:
            if keys.client_title is not None and keys.client_title != given:
                raise ConfigurationError("the keys are those of a client with another system title")
            keys = keys.over(Keys.parse(client_title=given, suite=keys.suite))
        if keys.client_title is None and self._needs_title:
            raise KeyMissingError("the system title of the client is missing: Keys(client_title=...)")
        return keys

    def _counted(self, keys: Keys, parameters: AssociationParameters | None) -> CountedKeys:
        if self._store is None:
            from cosem.store.default_counters import default_counter_store

            self._store = default_counter_store()
        # An association begins with an answer of its own, and so needs no counter at rest for each further one.
        every_message = parameters is not None and parameters.pre_established
        title = keys.client_title or b""
        return CountedKeys(keys, title, self._store, self._mode, every_message, self._largest_jump)

    def _context(self, keys: Keys, ciphering: Ciphering) -> SecurityContext:
        from cosem.security.context import SecurityContext, Side
        from cosem.security.material import DEFAULT_INTERPRETATION, material_of

        return SecurityContext(
            material_of(keys),
            bytes(keys.client_title or b""),
            keys.server_title,
            Side.CLIENT,
            ciphering.policy,
            ciphering.security_options(),
            in_kind=ciphering.in_kind,
            encryption_only=ciphering.encryption_only,
            across_associations=self._across_associations,
            interpretation=ciphering.interpretation or DEFAULT_INTERPRETATION,
        )

    def _authenticator(self, hls: HlsMechanism, keys: Keys) -> ClientHls:
        return ClientHls(
            hls,
            self._random,
            client_title=keys.client_title,
            server_title=keys.server_title,
            challenge_size=self._challenge_size,
            printable=self._printable,
        )

    def _warn(self) -> None:
        found = [_LEGACY[self.mechanism]] if self.mechanism in _LEGACY else []
        if self._needs_counters and not self._allow_test_keys:
            found += weaknesses(self.keys)
        if self.ciphering is not None and not self.ciphering.encrypted and self.ciphering.options is None:
            found.append("APDUs are authenticated and not encrypted: whoever listens can read them")
        for each in found:
            if each not in _told:
                _told.add(each)
                _log.warning("%s", each)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.keys!r})"
