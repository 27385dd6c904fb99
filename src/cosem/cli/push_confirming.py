"""Confirmations of notifications whose senders wait for one: in clear, or protected as the notification was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError, ConversionError
from cosem.security.inspection import Verdict

if TYPE_CHECKING:
    from cosem.push import PushMessage
    from cosem.security.counters import CounterStore
    from cosem.security.keys import Keys
    from cosem.security.protection import Protection

__all__ = ["Confirmer", "wants_confirmation"]

_IN_CLEAR: Final = ("wrapper",)
_CIPHERED: Final = ("wrapper", "general-glo-ciphering")
_IN_BLOCKS: Final = "general-block-transfer"
_ENCRYPTED: Final = 0x20
_SUITE: Final = 0x0F


def wants_confirmation(message: PushMessage) -> bool:
    """Whether the sender of a notification waits for a confirmation: its service class says so."""
    from cosem.types.identifiers import LongInvokeIdAndPriority

    return message.invoke_id is not None and LongInvokeIdAndPriority(message.invoke_id).confirmed


class Confirmer:
    """Makes confirmations.

    A notification that was protected is answered under the global unicast key, with our system title and a counter
    of our own, which is kept as that of a client is; and only one that was verified: else anybody could make us
    spend counters.

    Args:
        keys: The keys of the meters.
        title: Our system title; ``None`` if nothing that was protected is to be answered.
        counters: Where our counters are kept; the file of the user if ``None``.

    Raises:
        ConfigurationError: The title is none, or a key is missing that goes with it.
    """

    def __init__(
        self, keys: Keys | None, title: str | None = None, counters: CounterStore | None = None
    ) -> None:
        self._keys = keys
        self._counters = counters
        self._title = b""
        self._protections: dict[int, Protection] = {}
        if title is None:
            return
        from cosem.security.system_title import SystemTitle

        if keys is None or keys.encryption is None or keys.authentication is None:
            raise ConfigurationError("--title says nothing without --key and --auth-key")
        try:
            self._title = bytes(SystemTitle(title))
        except ConversionError as error:
            raise ConfigurationError(f"--title: {error}") from None

    def confirmation(self, message: PushMessage) -> bytes | None:
        """Return the unit of the wrapper that confirms a notification; ``None`` where it cannot be told how to.

        One through a gateway wants an answer through it, and one in other frames has no address to answer to.

        Raises:
            SecurityError: The counters cannot be used, or there is none left.
        """
        from cosem.apdu import encode
        from cosem.apdu.notification import DataNotificationConfirm
        from cosem.link.wrapper import wrap
        from cosem.types.identifiers import LongInvokeIdAndPriority

        if message.source is None or message.destination is None or message.invoke_id is None:
            return None
        apdu = encode(DataNotificationConfirm(LongInvokeIdAndPriority(message.invoke_id), b""))
        framing = tuple(each for each in message.framing if each != _IN_BLOCKS)  # an answer is short
        if framing == _CIPHERED:
            if not self._title or message.verification is not Verdict.VERIFIED:
                return None
            if message.system_title in (None, self._title):  # nobody answers to its own nonces
                return None
            apdu = self._protected(apdu, message.security_control or 0)
        elif framing != _IN_CLEAR or message.verification is not None:
            return None
        return wrap(apdu, message.destination, message.source)

    def _protected(self, apdu: bytes, control: int) -> bytes:
        from cosem.security.status import LayerOptions, ProtectionForm, SecurityOptions

        suite = control & _SUITE
        protection = self._protections.get(suite)
        if protection is None:
            protection = self._protections[suite] = self._protection(suite)
        layer = LayerOptions(ProtectionForm.GENERAL_GLO, encrypted=bool(control & _ENCRYPTED))
        return protection.protect(apdu, SecurityOptions((layer,)))

    def _protection(self, suite: int) -> Protection:
        from cosem.security.context import SecurityContext
        from cosem.security.material import material_of
        from cosem.store.counted_keys import CountedKeys
        from cosem.store.default_counters import default_counter_store

        if self._keys is None:
            raise ConfigurationError("there are no keys")
        keys = replace(self._keys, suite=suite)
        store = default_counter_store() if self._counters is None else self._counters
        context = SecurityContext(material_of(keys), self._title)
        return CountedKeys(keys, self._title, store).protection(context)
