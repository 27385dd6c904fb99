"""Protection of data itself, end to end and independent of the messages around it (Blue Book, class_id 30).

Each layer is what general-ciphering or general-signing would do to an APDU with the same
header, applied to the A-XDR octets of data: the result is security control, counter,
ciphertext and tag, or the data followed by the signature. Headers and keys are told
beside it, as protection parameters. The first layer is applied first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from cosem.apdu import encode
from cosem.apdu.ciphered import AgreedKey, GeneralCiphering, GeneralSigning, IdentifiedKey, WrappedKey
from cosem.errors import ConfigurationError, KeyMissingError, LimitError, PolicyError, VerificationError
from cosem.security.counters import CounterName
from cosem.security.envelope import associated_fields, read_envelope, seal_content
from cosem.security.material import DEFAULT_INTERPRETATION, SecurityMaterial
from cosem.security.message_keys import RandomOctets, make_message_key
from cosem.security.opening import open_layer
from cosem.security.policy import ProtectionKind
from cosem.security.sealing import take_number
from cosem.security.status import GeneralHeader, KeyUsed
from cosem.security.suites import SecurityControl

if TYPE_CHECKING:
    from cosem.security.context import Counter, ReplayProtection

__all__ = [
    "DataLayer",
    "DataReceived",
    "PreparedData",
    "counter_name_of_data",
    "key_info_of",
    "kinds_of_layers",
    "kinds_proven",
    "prepare_data",
    "protect_data",
    "unprotect_data",
]

_MOST_LAYERS: Final = 3
_KINDS: Final = (
    ProtectionKind.AUTHENTICATED,
    ProtectionKind.ENCRYPTED,
    ProtectionKind.AUTHENTICATED | ProtectionKind.ENCRYPTED,
    ProtectionKind.SIGNED,
)
"""What each protection_type gives."""
_SIGNATURE: Final = 3
_SHARED: Final = frozenset({KeyUsed.GLOBAL_UNICAST, KeyUsed.GLOBAL_BROADCAST, KeyUsed.WRAPPED})
"""Keys that tell one party from another only because nobody else's name is taken under them."""
_TRANSACTION_ID_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class DataLayer:
    """One element of protection parameters.

    Args:
        protection_type: 0 authentication, 1 encryption, 2 both, 3 digital signature.
        header: Transaction-id, originator, recipient and other information.
        key: Which key, and how it is told; nothing for a signature.
        key_info: The key-info of a layer that was received or made; ``None`` before.

    Raises:
        ConfigurationError: There is no such protection, or no such key for it.
    """

    protection_type: int = 2
    header: GeneralHeader = field(default_factory=GeneralHeader)
    key: KeyUsed = KeyUsed.GLOBAL_UNICAST
    key_info: Any = None

    def __post_init__(self) -> None:
        if not 0 <= self.protection_type <= _SIGNATURE:
            raise ConfigurationError(f"protection type {self.protection_type} is none of 0 to 3")
        if self.key in (KeyUsed.DEDICATED, KeyUsed.ESTABLISHED):
            raise ConfigurationError(f"data is not protected with a {self.key.value}")

    @property
    def kinds(self) -> ProtectionKind:
        """What it gives."""
        return _KINDS[self.protection_type]


class DataReceived(Protocol):
    """What was received of whom, at rest: tells repeated data, whatever keys were changed meanwhile."""

    def guard(self, key: KeyUsed, title: bytes) -> ReplayProtection:
        """Return the replay protection of an originator.

        Args:
            key: Which key the data is under; each long-lived key behind has counters of its own.
            title: System title of the originator.
        """
        ...

    def take_transaction(self, title: bytes, number: int) -> bool:
        """Take note of the transaction-id of a signature that was verified.

        Args:
            title: System title of the signer.
            number: The transaction-id, 0..2⁶⁴-1.

        Returns:
            Whether it is beyond every one before.
        """
        ...


def kinds_of_layers(layers: Sequence[DataLayer]) -> ProtectionKind:
    """Return what all layers together give."""
    kinds = ProtectionKind.NONE
    for layer in layers:
        kinds |= layer.kinds
    return kinds


def kinds_proven(layers: Sequence[DataLayer], title: bytes | None = None) -> ProtectionKind:
    """Return what the layers of one party prove of it.

    Every member of a group has the broadcast key: a layer under it proves nothing. Those of a third party prove
    nothing of the one that hands the data on.

    Args:
        layers: The first was applied first.
        title: System title of the party; by default that of the outermost layer.
    """
    if title is None:
        title = layers[-1].header.originator if layers else b""
    return kinds_of_layers(
        [
            layer
            for layer in layers
            if layer.header.originator == title
            and (layer.protection_type == _SIGNATURE or layer.key is not KeyUsed.GLOBAL_BROADCAST)
        ]
    )


def counter_name_of_data(name: CounterName) -> CounterName:
    """Return the name under which counters received in data under a global key are kept, apart from those of messages.

    The sender has one counter for both. The message around data is looked at before the data, which was
    protected earlier: in one row the inner counter would come too late.
    """
    return CounterName(sha256(b"cosem data protection" + name.key).digest()[:16], name.title)


class PreparedData:
    """Protection of data that is still to come: keys and numbers are there, and what could be missing was found.

    Args:
        layers: With what had to be filled in.
        steps: What each layer does to the octets.
    """

    __slots__ = ("_steps", "layers")

    def __init__(self, layers: tuple[DataLayer, ...], steps: list[Callable[[bytes], bytes]]) -> None:
        self.layers = layers
        self._steps: list[Callable[[bytes], bytes]] | None = steps

    def protect(self, octets: bytes) -> bytes:
        """Return protected data.

        Raises:
            ConfigurationError: It was called before: its numbers are used.
        """
        steps, self._steps = self._steps, None
        if steps is None:
            raise ConfigurationError("what was prepared protects data once")
        for step in steps:
            octets = step(octets)
        return octets


def protect_data(
    octets: bytes,
    layers: Sequence[DataLayer],
    material: SecurityMaterial,
    title: bytes,
    counter: Counter | None,
    random: RandomOctets | None = None,
    broadcast_counter: Counter | None = None,
    message_counter: Counter | None = None,
) -> tuple[bytes, tuple[DataLayer, ...]]:
    """Return protected data, and its layers with what had to be filled in.

    Args:
        octets: Data in A-XDR.
        layers: What to do; see :func:`prepare_data`, also for the rest and for what is raised.
        material: The keys.
        title: Our system title.
        counter: Of the global unicast key.
        random: Fresh octets.
        broadcast_counter: Of the global broadcast key.
        message_counter: Of every other key, and of signatures.
    """
    prepared = prepare_data(layers, material, title, counter, random, broadcast_counter, message_counter)
    return prepared.protect(octets), prepared.layers


def prepare_data(
    layers: Sequence[DataLayer],
    material: SecurityMaterial,
    title: bytes,
    counter: Counter | None,
    random: RandomOctets | None = None,
    broadcast_counter: Counter | None = None,
    message_counter: Counter | None = None,
) -> PreparedData:
    """Return what protects data that is not there yet, such as what a method is going to return.

    Args:
        layers: What to do; the first is done first. An empty originator is we.
        material: The keys.
        title: Our system title.
        counter: Of the global unicast key.
        random: Fresh octets, for keys that are wrapped or agreed on by C(1e,1s).
        broadcast_counter: Of the global broadcast key.
        message_counter: Of every other key, and of signatures: it must never begin anew, whichever key is
            changed, since transaction-ids come from it, and from those the keys of C(0e,2s).

    Raises:
        ConfigurationError: No layer, encryption that nothing authenticates, or another originator than we.
        KeyMissingError: A key is not known.
        CounterExhausted: The key must be changed.
    """
    _check(layers)
    done: list[DataLayer] = []
    steps: list[Callable[[bytes], bytes]] = []
    global_counters = {KeyUsed.GLOBAL_UNICAST: counter, KeyUsed.GLOBAL_BROADCAST: broadcast_counter}
    for layer in layers:
        own = message_counter
        if layer.protection_type != _SIGNATURE:
            own = global_counters.get(layer.key, message_counter)
        if own is None:
            raise KeyMissingError(f"the {layer.key.value} has no counter")
        number = take_number(own)
        if layer.header.originator not in (b"", title):
            raise ConfigurationError("nobody protects data in another one's name")
        header = replace(
            layer.header,
            originator=title,
            transaction_id=layer.header.transaction_id or number.to_bytes(8, "big"),
        )
        step, info = _prepare(layer, header, number, material, random)
        steps.append(step)
        done.append(replace(layer, header=header, key_info=info))
    return PreparedData(tuple(done), steps)


def _prepare(
    layer: DataLayer,
    header: GeneralHeader,
    number: int,
    material: SecurityMaterial,
    random: RandomOctets | None,
) -> tuple[Callable[[bytes], bytes], Any]:
    if layer.protection_type == _SIGNATURE:
        signing = material.signing
        if signing is None:
            raise KeyMissingError("no private signing key is known")
        return lambda octets: octets + signing.sign(header.octets + octets), None
    info: Any
    if layer.key in (KeyUsed.WRAPPED, KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED):
        secret, info = make_message_key(layer.key, header, material, random, DEFAULT_INTERPRETATION)
        key = material.bound(secret)
    else:
        broadcast = layer.key is KeyUsed.GLOBAL_BROADCAST
        known = material.broadcast if broadcast else material.unicast
        if known is None:
            raise KeyMissingError(f"no {layer.key.value} is known")
        key, info = known, IdentifiedKey(int(broadcast))
    kinds = layer.kinds
    control = SecurityControl.build(
        material.suite,
        authenticated=ProtectionKind.AUTHENTICATED in kinds,
        encrypted=ProtectionKind.ENCRYPTED in kinds,
    )
    further = associated_fields(header.octets, header, DEFAULT_INTERPRETATION)
    return lambda octets: seal_content(key, control, header.originator, number, octets, further), info


def unprotect_data(
    octets: bytes,
    layers: Sequence[DataLayer],
    material: SecurityMaterial,
    title: bytes,
    received: DataReceived,
    peer: bytes | None = None,
) -> bytes:
    """Return the data, after every tag and signature was verified, and its counter compared.

    Global and wrapped keys are accepted from the peer alone: it has them too, and could take another one's name.
    A signature that no counter of the same originator comes with is told from a repetition by its
    transaction-id, a number of 1 to 8 octets that goes up.

    Args:
        octets: Protected data.
        layers: How it was protected; the last is taken off first.
        material: The keys.
        title: Our system title.
        received: What was received before.
        peer: System title of the other side; by default that of the outermost layer.

    Raises:
        VerificationError: A tag or signature does not match, it is for or of somebody else, or a signature without a
            counter was received before.
        ReplayError: Its counter was used before.
        PolicyError: Nothing authenticates it.
        KeyMissingError: A key is not known.
        DecodeError: It is not laid out like protected data.
    """
    _check(layers)
    peer = layers[-1].header.originator if peer is None else peer
    counters: list[tuple[KeyUsed, bytes, int]] = []
    signed: dict[bytes, bytes] = {}
    vouched: set[bytes] = set()  # who authenticates what is inside
    counted: set[bytes] = set()
    for layer in reversed(layers):
        header = layer.header
        if header.recipient not in (b"", title):
            raise VerificationError("the data is for another recipient")
        if header.originator == title or len(header.originator) != len(title):
            raise VerificationError("the data names no originator, or us")
        if layer.protection_type != _SIGNATURE and layer.key in _SHARED and header.originator != peer:
            raise VerificationError("the data names a third party under a key that proves none")
        if layer.protection_type == _SIGNATURE:
            size = material.suite.signature_size
            if len(octets) <= size:
                raise VerificationError("the data has no room for a signature")
            apdu = encode(GeneralSigning(*header.fields, octets[:-size], octets[-size:]))
        else:
            apdu = encode(GeneralCiphering(*header.fields, layer.key_info, octets))
        opened = open_layer(read_envelope(apdu), material, header.originator, title, DEFAULT_INTERPRETATION)
        if opened.layer.control is not None and int(opened.layer.control) >> 4 & 3 != int(layer.kinds):
            raise VerificationError("the data is protected in another way than its parameters say")
        if kinds_proven([layer]) & (ProtectionKind.AUTHENTICATED | ProtectionKind.SIGNED):
            vouched.add(header.originator)
        if opened.layer.invocation_counter is not None:
            counters.append((layer.key, header.originator, opened.layer.invocation_counter))
            if header.originator in vouched:  # else anybody could have put another counter there
                counted.add(header.originator)
        else:
            signed[header.originator] = header.transaction_id
        octets = opened.clear
    for key, originator, counter in reversed(counters):
        replay = received.guard(key, originator)
        replay.check(counter)
        replay.accept(counter)
    for originator in signed.keys() - counted:
        _take_in_order(signed[originator], originator, received)
    return octets


def _take_in_order(transaction_id: bytes, originator: bytes, received: DataReceived) -> None:
    if not 0 < len(transaction_id) <= _TRANSACTION_ID_SIZE:
        raise VerificationError(
            f"signed data with a transaction-id of {len(transaction_id)} octets: with 1 to 8 of them it could be told"
            " from a repetition"
        )
    if not received.take_transaction(originator, int.from_bytes(transaction_id, "big")):
        raise VerificationError("this signed data, or some that was signed after it, was received before")


def _check(layers: Sequence[DataLayer]) -> None:
    if len(layers) > _MOST_LAYERS:
        raise LimitError("layers of protection", len(layers), _MOST_LAYERS)
    kinds = kinds_of_layers(layers)
    if not kinds & (ProtectionKind.AUTHENTICATED | ProtectionKind.SIGNED):
        raise PolicyError("nothing authenticates the data")


def key_info_of(key_info_type: int, options: Any) -> tuple[KeyUsed, Any]:
    """Return the key and the key-info that protection parameters tell.

    Raises:
        ConfigurationError: They are built in another way.
    """
    if key_info_type == 0 and options in (0, 1):
        key = KeyUsed.GLOBAL_BROADCAST if options else KeyUsed.GLOBAL_UNICAST
        return key, IdentifiedKey(int(options))
    if isinstance(options, tuple) and len(options) == 2 and isinstance(options[1], bytes):
        if key_info_type == 1 and options[0] == 0:
            return KeyUsed.WRAPPED, WrappedKey(0, bytes(options[1]))
        if key_info_type == 2 and options[0] in (b"\x01", b"\x02"):
            key = KeyUsed.ONE_PASS if options[0] == b"\x01" else KeyUsed.STATIC_UNIFIED
            return key, AgreedKey(bytes(options[0]), bytes(options[1]))
    raise ConfigurationError(f"key information of type {key_info_type} that tells no key")
