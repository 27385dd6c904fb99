"""Every error that cosem raises on purpose, as one tree that tells who is to blame.

::

    CosemError
    ├── LocalError              we were asked for something that is not possible
    │   ├── EncodeError         a value does not fit its type
    │   ├── StateError          not allowed in the present state; nothing was changed
    │   ├── ConversionError     a text that means no value, or a value with no counterpart in Python
    │   ├── ConfigurationError  options that contradict each other or cannot be read
    │   └── UnsupportedError    the association did not agree on this service or feature
    ├── RemoteError             the peer broke the rules, or refused
    │   ├── DecodeError         octets that are not what the standard says
    │   │   └── LimitError      octets that would cost too much
    │   ├── ProtocolError       well-formed, but not allowed at this point
    │   ├── AssociationRefused  the association was not made
    │   ├── AccessError         one attribute was refused; the association is still up
    │   ├── ActionError         one method was refused; the association is still up
    │   └── ServiceError        a whole request was refused
    │       ├── ExceptionResponseError
    │       └── ConfirmedServiceErrorReceived
    ├── SecurityError           protection, authentication, keys, counters
    │   ├── AuthenticationError
    │   ├── VerificationError
    │   ├── ReplayError
    │   ├── KeyMissingError
    │   ├── PolicyError
    │   ├── CounterExhausted
    │   └── KeyChangeUnfinished
    └── LinkError               what lies below the application layer
        ├── FrameError          octets that are no frame
        └── TransportError      the connection
            ├── TransportClosed
            └── TransportTimeout

The facts are attributes; the arguments of the constructor are those of the
exception, so that every error pickles and workers can send them.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AccessError",
    "ActionError",
    "AssociationRefused",
    "AuthenticationError",
    "ConfigurationError",
    "ConfirmedServiceErrorReceived",
    "ConversionError",
    "CosemError",
    "CounterExhausted",
    "DecodeError",
    "EncodeError",
    "ExceptionResponseError",
    "FrameError",
    "KeyChangeUnfinished",
    "KeyMissingError",
    "LimitError",
    "LinkError",
    "LocalError",
    "PolicyError",
    "ProtocolError",
    "RemoteError",
    "ReplayError",
    "SecurityError",
    "ServiceError",
    "StateError",
    "TransportClosed",
    "TransportError",
    "TransportTimeout",
    "UnsupportedError",
    "VerificationError",
]


class CosemError(Exception):
    """Root of every error that cosem raises on purpose.

    Attributes:
        results: Where a list of writes, calls or both failed in the middle: a :class:`~cosem.client.results.Result` for
            each item of which it is known what came of it, from the first on. Of the others it is not known.
    """

    results: tuple[Any, ...] = ()


class LocalError(CosemError):
    """We were asked for something that is not possible; nothing was sent."""


class EncodeError(LocalError, ValueError):
    """A value cannot be written as the type that it must have.

    Args:
        problem: What is wrong, as a phrase without a full stop.
        path: Where in the value, for example ``value_list[3]``; empty for the whole.
    """

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


class ConversionError(LocalError, ValueError):
    """A text or number means no value of the type, or a value has no counterpart in Python.

    For example a date-time pattern that is asked for its moment, or ``"1.8"`` as a logical name.

    Args:
        problem: What is wrong, as a phrase without a full stop.
    """


class StateError(LocalError):
    """The event is not allowed in the present state; nothing was changed.

    Args:
        state: Name of the state.
        event: Name of the event.
    """

    def __init__(self, state: str, event: str) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event

    def __str__(self) -> str:
        return f"{self.event} is not allowed while {self.state}"


class ConfigurationError(LocalError, ValueError):
    """Options that contradict each other, are out of range or cannot be read."""


class UnsupportedError(LocalError):
    """The association did not agree on this service or feature (7.3.1)."""


class RemoteError(CosemError):
    """The peer broke the rules, or refused."""


class DecodeError(RemoteError, ValueError):
    """The octets are not what the standard says they must be.

    Args:
        problem: What is wrong, as a phrase without a full stop.
        offset: Octets from the start of the input to the offending octet.
        path: The component that was read, for example ``get-response-normal.result``.
    """

    def __init__(self, problem: str, offset: int, path: str = "") -> None:
        super().__init__(problem, offset, path)
        self.problem = problem
        self.offset = offset
        self.path = path

    def __str__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        return f"{self.problem} at offset {self.offset}{where}"


class LimitError(DecodeError):
    """Octets that would cost more than a limit allows; nothing was built.

    Args:
        name: Which limit, for example ``nesting``.
        value: What the octets ask for.
        bound: The limit.
        offset: Octets from the start of the input.
        path: The component that was read.
    """

    def __init__(self, name: str, value: int, bound: int, offset: int = 0, path: str = "") -> None:
        super().__init__(f"{name} {value} exceeds the limit of {bound}", offset, path)
        self.args = (name, value, bound, offset, path)
        self.name = name
        self.value = value
        self.bound = bound


class ProtocolError(RemoteError):
    """Well-formed octets that are not allowed at this point of the exchange."""


class AssociationRefused(RemoteError):
    """The peer did not make the association (7.2.4).

    Args:
        result: Association-result: 1 rejected-permanent, 2 rejected-transient.
        source: ``"acse-service-user"``, ``"acse-service-provider"`` or the APDU that came instead.
        diagnostic: The number that the peer gave, in the terms of ``source``.
        reason: The name of the diagnostic.
        detail: What else the answer said, for example the xDLMS initiate error.
        hint: The likely cause, in plain words.
    """

    def __init__(
        self, result: int, source: str, diagnostic: int, reason: str, detail: str = "", hint: str = ""
    ) -> None:
        super().__init__(result, source, diagnostic, reason, detail, hint)
        self.result = result
        self.source = source
        self.diagnostic = diagnostic
        self.reason = reason
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        how = {1: "rejected-permanent", 2: "rejected-transient"}.get(self.result, f"result {self.result}")
        text = f"association refused: {how}, {self.source} {self.diagnostic} ({self.reason})"
        if self.detail:
            text += f"; {self.detail}"
        if self.hint:
            text += f". Likely: {self.hint}"
        return text


class AccessError(RemoteError):
    """The server refused one attribute; the association is still up.

    Args:
        target: The attribute asked for, in words.
        result: The Data-Access-Result that the server gave.
        hint: The likely cause, in plain words.
    """

    def __init__(self, target: str, result: int, hint: str = "") -> None:
        super().__init__(target, result, hint)
        self.target = target
        self.result = result
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.target}: {_spoken(self.result)}"
        return f"{text}. Likely: {self.hint}" if self.hint else text


class ActionError(RemoteError):
    """The server refused one method; the association is still up.

    Args:
        target: The method called, in words.
        result: The Action-Result, or the Data-Access-Result of its return parameters.
        hint: The likely cause, in plain words.
    """

    def __init__(self, target: str, result: int, hint: str = "") -> None:
        super().__init__(target, result, hint)
        self.target = target
        self.result = result
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.target}: {_spoken(self.result)}"
        return f"{text}. Likely: {self.hint}" if self.hint else text


class ServiceError(RemoteError):
    """The server refused a whole request."""


class ExceptionResponseError(ServiceError):
    """The server answered with an exception-response (clause 8).

    Args:
        state_error: 1 service-not-allowed, 2 service-unknown.
        service_error: 1 operation-not-possible ... 6 invocation-counter-error.
        invocation_counter: The counter that the server expects, if it said so.
        in_clear: Whether it came without protection in an association with ciphering: anybody may have sent it.
        answer_begun: Whether a part of the answer had come before: the server has executed the request.
        of_another: Whether it may refuse another request: it names none, and more than this one had no answer yet.
    """

    def __init__(
        self,
        state_error: int,
        service_error: int,
        invocation_counter: int | None = None,
        in_clear: bool = False,
        answer_begun: bool = False,
        of_another: bool = False,
    ) -> None:
        super().__init__(state_error, service_error, invocation_counter, in_clear, answer_begun, of_another)
        self.state_error = state_error
        self.service_error = service_error
        self.invocation_counter = invocation_counter
        self.in_clear = in_clear
        self.answer_begun = answer_begun
        self.of_another = of_another

    def __str__(self) -> str:
        text = f"exception-response: {_spoken(self.state_error)}, {_spoken(self.service_error)}"
        if self.invocation_counter is not None:
            text += f", the server expects invocation counter {self.invocation_counter}"
        if self.in_clear:
            text += "; it came without protection, anybody may have sent it"
        if self.answer_begun:
            text += "; the answer had begun, so the request was executed"
        if self.of_another:
            text += "; other requests had no answer yet, it may refuse one of those"
        return text


class ConfirmedServiceErrorReceived(ServiceError):
    """The server answered with a confirmedServiceError (clause 8).

    Args:
        service: 1 initiateError, 5 read, 6 write.
        error_group: The alternative of ServiceError, for example 6 initiate.
        error: The value within the group.
        description: The three in words.
    """

    def __init__(self, service: int, error_group: int, error: int, description: str = "") -> None:
        super().__init__(service, error_group, error, description)
        self.service = service
        self.error_group = error_group
        self.error = error
        self.description = description

    def __str__(self) -> str:
        words = self.description or f"service {self.service}, group {self.error_group}, value {self.error}"
        return f"confirmedServiceError: {words}"


class SecurityError(CosemError):
    """Protection, authentication, keys or counters."""


class AuthenticationError(SecurityError):
    """The peer did not prove who it is, or did not accept our proof."""


class VerificationError(SecurityError):
    """A tag or signature does not match; nothing of the message was released."""


class ReplayError(SecurityError):
    """An invocation counter or challenge was used before.

    Args:
        received: The counter in the message.
        expected: The lowest counter that would have been accepted.
    """

    def __init__(self, received: int, expected: int) -> None:
        super().__init__(received, expected)
        self.received = received
        self.expected = expected

    def __str__(self) -> str:
        return f"invocation counter {self.received} was used before: {self.expected} or more is expected"


class CounterJumpError(SecurityError):
    """The invocation counter of a genuine message is further on than is believed.

    Whoever took it would refuse everything below it from then on: one slip of the sender to the end of the
    range would end all that its key is good for.

    Args:
        received: The counter in the message.
        expected: The lowest counter that would have been accepted.
        largest: How far beyond that a counter may be.
    """

    def __init__(self, received: int, expected: int, largest: int) -> None:
        super().__init__(received, expected, largest)
        self.received = received
        self.expected = expected
        self.largest = largest

    def __str__(self) -> str:
        return (
            f"invocation counter {self.received} is {self.received - self.expected} beyond {self.expected}, which was"
            f" expected; a jump of more than {self.largest} has to be allowed: largest_jump"
        )


class KeyMissingError(SecurityError):
    """No key is known for this use."""


class PolicyError(SecurityError):
    """A message has less protection than the security policy demands."""


class CounterExhausted(SecurityError):
    """The invocation counter reached its end: the key must be changed before anything else is sent."""


class KeyChangeUnfinished(SecurityError):
    """Keys were sent to a meter, and nobody knows yet whether it took them: old and new ones are kept.

    Args:
        problem: What stands in the way of knowing, as a phrase without a full stop.
        entry: The entry of the key store that holds the new keys; empty where nothing is kept.
    """

    def __init__(self, problem: str, entry: str = "") -> None:
        super().__init__(problem, entry)
        self.problem = problem
        self.entry = entry

    def __str__(self) -> str:
        return f"{self.problem}; the new keys are kept as {self.entry}" if self.entry else self.problem


class LinkError(CosemError):
    """What lies below the application layer."""


class FrameError(LinkError, ValueError):
    """The octets are no frame of this communication profile.

    Args:
        problem: What is wrong, as a phrase without a full stop.
        offset: Octets from the start of the input.
    """

    def __init__(self, problem: str, offset: int = 0) -> None:
        super().__init__(problem, offset)
        self.problem = problem
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.problem} at offset {self.offset}"


class TransportError(LinkError):
    """The connection failed."""


class TransportClosed(TransportError):
    """The peer closed the connection."""


class TransportTimeout(TransportError, TimeoutError):
    """Nothing came within the time allowed."""


def _spoken(code: int) -> str:
    """Return a code of the standard in words where it has a name."""
    name = getattr(code, "name", None)
    return f"{name.lower().replace('_', '-')} ({int(code)})" if name else str(code)
