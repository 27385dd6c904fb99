"""Changing the keys of a meter as a transaction: nothing is ever lost, whatever breaks in between.

The new keys are at rest before they are sent, and the old ones until the new ones are
proven by a read. Each step yields what is to be done, so that one text serves the
blocking and the asynchronous client:

================  ==================================================================
step              what is done
================  ==================================================================
:class:`Run`      a conversation of services in the association
:class:`Use`      from now on these keys protect what is sent, and open what comes
:class:`Reopen`   a new association, over a new connection, with these keys
================  ==================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.client.operations import attributes, methods
from cosem.client.operations.keys_at_rest import (
    KEY_IDS,
    PROVEN_BY_OPENING,
    apart_entries,
    apart_keys,
    given_up,
    kept_apart,
    kept_as,
    pending_entry,
    put_aside,
    settled,
    settled_apart,
)
from cosem.errors import (
    ActionError,
    ConfigurationError,
    CosemError,
    KeyChangeUnfinished,
    SecurityError,
    VerificationError,
)
from cosem.security.key_material import Key, KeyRole
from cosem.security.keys import Keys, KeyStore
from cosem.types.data import Array, DataValue, Enum, OctetString, Structure
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.context import Conversation, ServiceContext
    from cosem.client.session import Session
    from cosem.client.targets import Target

__all__ = [
    "KEY_IDS",
    "SECURITY_SETUP",
    "KeyChange",
    "Reopen",
    "Run",
    "Step",
    "Use",
    "agreeing",
    "opening_apart",
    "pending_entry",
    "resuming",
    "settled",
    "transferring",
]

SECURITY_SETUP: Final = LogicalName("0.0.43.0.0.255")
_SETUP_CLASS: Final = 64
_TRANSFER, _AGREE = 2, 3
_CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")
_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class Run:
    """A conversation of services; its result comes back, or what it raised."""

    operation: Callable[[ServiceContext], Conversation[Any]]


@dataclass(frozen=True, slots=True)
class Use:
    """Protection under these keys from now on."""

    keys: Keys


@dataclass(frozen=True, slots=True)
class Reopen:
    """A new association with these keys; what the opening raised comes back."""

    keys: Keys


Step: TypeAlias = Run | Use | Reopen
KeyChange: TypeAlias = Generator[Step, Any, Keys]


def transferring(
    session: Session,
    keys: Keys,
    changes: Mapping[str, Key],
    store: KeyStore,
    name: str,
    setup: Target = SECURITY_SETUP,
    *,
    begun: bool = False,
) -> KeyChange:
    """Send new keys, wrapped with the master key (RFC 3394), and return all keys as they are then.

    Args:
        session: Of the client.
        keys: The keys of now.
        changes: New keys by field.
        store: Where keys are at rest.
        name: The entry of the meter.
        setup: The Security setup object.
        begun: Whether they may have been sent before, and nobody knows what came of it.

    Raises:
        ConfigurationError: A key that cannot be transferred, or of another length.
        KeyMissingError: There is no master key.
        ActionError: The meter refused; it has none of the new keys, and none is kept.
        KeyChangeUnfinished: Nobody knows whether the meter has the new keys; they are kept.
    """
    if not changes or not changes.keys() <= KEY_IDS.keys():
        raise ConfigurationError(f"the keys {', '.join(KEY_IDS)} are transferred")
    keys.required(KeyRole.MASTER)
    taken: dict[str, Any] = dict(changes)
    new = replace(keys, **taken)
    if not begun:
        put_aside(store, name, keys, new)
    readable = any(each in changes for each in PROVEN_BY_OPENING)
    failure: CosemError | None = None
    for _ in range(_ATTEMPTS):
        try:
            yield Run(_transfer(session, keys, changes, setup))
            done = True
        except ActionError as refusal:
            known = yield from _done_before(session, new, changes, setup)
            done = known is True
            if not done and readable:
                # A meter may do it and answer that it failed: only a read tells.
                proven = yield from _in_force(session, keys, new)
                if proven is new:
                    return settled(store, name, new, changes)
                if proven is None:
                    raise KeyChangeUnfinished(
                        f"the meter refused keys, and does not say whether it has them: {refusal}",
                        kept_as(store, name),
                    ) from None
            if not done:
                if readable or "master" not in changes or (known is False and not begun):
                    given_up(store, name, new)
                    raise
                raise KeyChangeUnfinished(
                    f"the meter refused keys that it may have: {refusal}", kept_as(store, name)
                ) from None
        except CosemError as error:
            failure, done, begun = error, False, True
        proven = yield from _in_force(session, new, keys)
        if proven is None:
            break
        if proven is new and (readable or done):
            return settled(store, name, new, changes)
        if readable and done:
            raise KeyChangeUnfinished(
                "the meter took the keys, and goes on with the old ones", kept_as(store, name)
            )
        begun = not readable  # a read under the old keys shows that nothing was taken
    else:
        if failure is not None and readable:
            given_up(store, name, new)
            raise failure
    raise KeyChangeUnfinished(
        "the meter does not say whether it has the new keys", kept_as(store, name)
    ) from failure


def resuming(
    session: Session,
    present: Keys,
    old: Keys,
    new: Keys,
    store: KeyStore,
    name: str,
    setup: Target = SECURITY_SETUP,
) -> KeyChange:
    """Finish a change of keys that was begun, whatever became of it.

    Args:
        session: Of the client.
        present: The keys of the association.
        old: The keys of the meter before.
        new: The keys that were sent, or were going to be.
        store: Where keys are at rest.
        name: The entry of the meter.
        setup: The Security setup object.

    Raises:
        KeyChangeUnfinished: As :func:`transferring`, as are the others.
    """
    changed = [each for each in KEY_IDS if getattr(new, each) not in (None, getattr(old, each))]
    telling = [each for each in changed if each in PROVEN_BY_OPENING]
    if not changed or (telling and all(getattr(present, each) == getattr(new, each) for each in telling)):
        yield Use(new)
        yield _proof(session)
        return settled(store, name, new, changed)
    changes = {each: getattr(new, each) for each in changed}
    return (yield from transferring(session, old, changes, store, name, setup, begun=True))


def opening_apart(
    session: Session, present: Keys, old: Keys, store: KeyStore, name: str
) -> Generator[Step, Any, Keys | None]:
    """Try keys that were agreed on and wait apart, and return all keys as they are then; ``None`` if none is in force.

    Args:
        session: Of the client.
        present: The keys of the association.
        old: The keys of the meter in the store.
        store: Where keys are at rest.
        name: The entry of the meter.
    """
    for entry in apart_entries(store, name):
        if apart_keys(store, entry, old) is None:
            continue
        new = apart_keys(store, entry, present) or present  # an association may have them already
        if (yield from _in_force(session, new, present)) is new and settled_apart(
            store, name, entry, new, old
        ):
            return new
    return None


def _done_before(
    session: Session, new: Keys, changes: Mapping[str, Key], setup: Target
) -> Generator[Step, Any, bool | None]:
    """Return whether a meter that refuses has a new master key already: it takes the same keys under that.

    ``None`` if it does not say: nothing is known then.
    """
    if "master" not in changes:
        return False
    try:
        yield Run(_transfer(session, new, changes, setup))
    except ActionError:
        return False
    except CosemError:
        return None
    return True


def _transfer(
    session: Session, keys: Keys, changes: Mapping[str, Key], setup: Target
) -> Callable[[ServiceContext], Conversation[DataValue]]:
    from cosem.security.key_wrap import KeyEncryptionKey

    master = KeyEncryptionKey(keys.required(KeyRole.MASTER))
    listed = Array(
        Structure((Enum(KEY_IDS[name]), OctetString(master.wrap(key.octets))))
        for name, key in changes.items()
    )
    return lambda context: methods.call(context, session, setup, _TRANSFER, listed, _SETUP_CLASS)


def _proof(session: Session) -> Run:
    """Return a read that every association lets its client do."""

    def read(context: ServiceContext) -> Conversation[DataValue]:
        class_id = 15 if context.short_names is None else 12
        return attributes.get(context, session, _CURRENT_ASSOCIATION, 1, class_id)

    return Run(read)


def _in_force(session: Session, new: Keys, old: Keys) -> Generator[Step, Any, Keys | None]:
    """Return the keys under which the meter answers; ``None`` where it answers under neither."""
    for step in (Use(new), Use(old), Reopen(new), Reopen(old)):
        try:
            yield step
            yield _proof(session)
        except CosemError:
            continue
        return step.keys
    return None


def _reachable(session: Session, keys: Keys) -> Generator[Step, Any, bool]:
    """Return whether the meter answers under keys that did not change."""
    return (yield from _in_force(session, keys, keys)) is not None


def agreeing(
    session: Session,
    keys: Keys,
    names: tuple[str, ...],
    store: KeyStore,
    name: str,
    random: Callable[[int], bytes],
    setup: Target = SECURITY_SETUP,
) -> KeyChange:
    """Agree on new keys by C(2e,0s) of ECDH, and return all keys as they are then.

    Neither side can do this alone: should the meter's half be lost on its way, nobody knows the new keys.

    Args:
        session: Of the client.
        keys: The keys of now, with both titles, our signing key and the public one of the meter.
        names: The keys to agree on, by field.
        store: Where keys are at rest.
        name: The entry of the meter.
        random: Returns octets that nobody can guess.
        setup: The Security setup object.

    Raises:
        ConfigurationError: A key that cannot be agreed on, or suite 0, or a title is missing.
        KeyMissingError: A signing key is missing.
        ActionError: The meter refused.
        VerificationError: The meter's half is not signed by it, and the old keys are in force.
        KeyChangeUnfinished: The answer was lost, or its keys do not open what the meter sends.
    """
    from cosem.security.agreement import ephemeral_key, ephemeral_random_size, sign_key_data
    from cosem.security.suites import SecuritySuite

    suite = SecuritySuite(keys.suite)
    if not names or not set(names) <= KEY_IDS.keys() or suite is SecuritySuite.AES_GCM_128:
        raise ConfigurationError(f"in suites 1 and 2 the keys {', '.join(KEY_IDS)} are agreed on")
    if keys.client_title is None or keys.server_title is None or keys.peer_signing is None:
        raise ConfigurationError(
            "key agreement needs both system titles, and the key with which the meter signs"
        )
    signing = keys.signing_key()
    own = {KEY_IDS[each]: ephemeral_key(suite, random(ephemeral_random_size(suite))) for each in names}
    listed = Array(
        Structure((Enum(key_id), OctetString(sign_key_data(signing, pair.public_key, key_id))))
        for key_id, pair in own.items()
    )
    telling = any(each in PROVEN_BY_OPENING for each in names)
    try:
        halves = yield Run(
            lambda context: methods.call(context, session, setup, _AGREE, listed, _SETUP_CLASS)
        )
    except CosemError as error:
        # A read under the old keys proves nothing of a master or broadcast key; there an answer must.
        if not telling and isinstance(error, ActionError):
            raise
        if (yield from _reachable(session, keys)) and telling:
            raise
        raise KeyChangeUnfinished(
            "the meter's half of the key agreement was lost, and with it the keys"
        ) from error
    try:
        new = replace(keys, **_agreed(keys, own, halves))
    except SecurityError as error:
        # What nobody can make keys of may have given the meter new ones all the same.
        if telling and (yield from _reachable(session, keys)):
            raise
        raise KeyChangeUnfinished(f"the meter's half of the key agreement is of no use: {error}") from error
    try:
        put_aside(store, name, keys, new)
    except ConfigurationError as error:
        # Somebody else began meanwhile; these keys exist nowhere else.
        entry = kept_apart(store, name, new)
        raise KeyChangeUnfinished(f"the keys that were agreed on wait apart: {error}", entry) from None
    proven = yield from _in_force(session, new, keys)
    if proven is new:
        return settled(store, name, new, names)
    raise KeyChangeUnfinished(
        "the meter does not answer under the keys that were agreed on", kept_as(store, name)
    )


def _agreed(keys: Keys, own: Mapping[int, Any], halves: Any) -> dict[str, Any]:
    """Return the keys that come of our ephemeral keys and the meter's."""
    from cosem.security.agreement import agreed_key, open_key_data
    from cosem.security.kdf import KeyAlgorithm
    from cosem.security.suites import SecuritySuite

    suite = SecuritySuite(keys.suite)
    try:
        received = {int(key_id): bytes(data) for key_id, data in halves}
    except (TypeError, ValueError):
        raise SecurityError("the meter answered the key agreement with something else") from None
    if received.keys() != own.keys():
        raise VerificationError("the meter agreed on other keys than were asked for")
    names = {number: name for name, number in KEY_IDS.items()}
    found: dict[str, Any] = {}
    for key_id, pair in own.items():
        public = open_key_data(suite, received[key_id], bytes(keys.peer_signing or b""), key_id)
        algorithm = KeyAlgorithm.AES_WRAP if names[key_id] == "master" else KeyAlgorithm.AES_GCM
        titles = bytes(keys.client_title or b""), bytes(keys.server_title or b"")
        found[names[key_id]] = Key(agreed_key(pair, public, *titles, algorithm=algorithm))
    return found
