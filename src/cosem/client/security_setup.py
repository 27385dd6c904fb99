"""Security setup of a meter: what is in force, stricter policies, key pairs and certificates (Blue Book, class_id 64).

::

    meter.security_setup.read().policy
    meter.security_setup.activate(SecurityPolicyV1(0x6C))
    meter.security_setup.generate_key_pair(CertificateType.DIGITAL_SIGNATURE)
    request = meter.security_setup.certificate_request(CertificateType.DIGITAL_SIGNATURE)
    meter.security_setup.import_certificate(sign(request))

Keys are changed by :mod:`cosem.client.keys`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from cosem.classes.standard.security_setup import (
    CertificateEntity,
    CertificateInfo,
    CertificateType,
    SecuritySetup,
)
from cosem.client.operations.key_change import SECURITY_SETUP
from cosem.errors import ConfigurationError, ProtocolError
from cosem.security.certificates import Certificate
from cosem.security.policy import SecurityPolicy, SecurityPolicyV0, SecurityPolicyV1
from cosem.types.data import Enum, OctetString, Structure

if TYPE_CHECKING:
    from cosem.client.aio.services import AsyncServices
    from cosem.client.blocking.services import BlockingServices
    from cosem.client.targets import Target

__all__ = ["AsyncSecuritySetupOfMeter", "SecuritySetupOfMeter", "SecuritySetupState"]

T = TypeVar("T")
_CLASS: Final = 64
_ACTIVATE, _GENERATE, _REQUEST, _IMPORT, _EXPORT, _REMOVE = 1, 4, 5, 6, 7, 8
_LARGEST_VERSION_0: Final = 3
_Step: TypeAlias = tuple[bool, int, Any]
"""Whether to call a method, its number or that of the attribute to read, and the parameter."""
_Steps: TypeAlias = Generator[_Step, Any, T]


@dataclass(frozen=True, slots=True)
class SecuritySetupState:
    """What is in force.

    Args:
        policy: What messages must have at least. 1 to 3 are values of version 0 only, what is above of version 1
            only; 0 means nothing in both.
        suite: Number of the security suite.
        client_title: System title of the client.
        server_title: System title of the meter.
    """

    policy: SecurityPolicy
    suite: int
    client_title: bytes
    server_title: bytes


class SecuritySetupOfMeter:
    """Security setup through a blocking client.

    Args:
        client: With an open association.
        target: The object.
    """

    def __init__(self, client: BlockingServices, target: Target = SECURITY_SETUP) -> None:
        self._client = client
        self._target = target

    def read(self) -> SecuritySetupState:
        """Return policy, suite and titles.

        Raises:
            AccessError: The meter does not show one of them.
            ProtocolError: One of them is something else.
        """
        return self._drive(_read())

    def activate(self, policy: SecurityPolicy) -> None:
        """Activate a policy; there is no way back to a weaker one.

        Args:
            policy: In the version of the meter's object: a value of version 0, or a mask of version 1.

        Raises:
            ActionError: The meter refused: the policy is weaker, or of the other version.
        """
        self._drive(_activate(policy))

    def certificates(self) -> list[CertificateInfo]:
        """Return what certificates the meter holds, without themselves (version 1).

        Raises:
            AccessError: The meter does not show them.
        """
        return self._drive(_certificates())

    def generate_key_pair(self, use: CertificateType | int) -> None:
        """Have the meter make a key pair; the one before stays in use until a certificate is imported.

        Raises:
            ActionError: The meter refused.
        """
        self._drive(_generate(use))

    def certificate_request(self, use: CertificateType | int) -> bytes:
        """Return the request to certify the newest key pair: PKCS #10 in DER.

        Raises:
            ActionError: There is no key pair.
            ProtocolError: The meter returned something else.
        """
        return self._drive(_request(use))

    def import_certificate(self, certificate: Certificate | bytes) -> None:
        """Give the meter a certificate: of its own new key pair, of a client, or of an authority.

        Raises:
            ConfigurationError: The octets are no certificate.
            ActionError: The meter refused it.
        """
        self._drive(_import(certificate))

    def export_certificate(
        self, entity: CertificateEntity | int, use: CertificateType | int, title: bytes = b""
    ) -> Certificate:
        """Return a certificate that the meter holds.

        Args:
            entity: Whose.
            use: What its key is for.
            title: System title of its owner; empty for an authority.

        Raises:
            ActionError: There is none.
            ProtocolError: The meter returned something else.
        """
        return self._drive(_export(entity, use, title))

    def remove_certificate(
        self, entity: CertificateEntity | int, use: CertificateType | int, title: bytes = b""
    ) -> None:
        """Have the meter forget a certificate; as for :meth:`export_certificate`.

        Raises:
            ActionError: There is none, or it is the meter's own or that of an anchor.
        """
        self._drive(_remove(entity, use, title))

    def _drive(self, steps: _Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                step = steps.send(self._do(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _do(self, step: _Step) -> Any:
        is_call, number, parameter = step
        if is_call:
            return self._client.call(self._target, number, parameter, class_id=_CLASS)
        return self._client.get(self._target, number, class_id=_CLASS)

    def __repr__(self) -> str:
        return f"<SecuritySetupOfMeter {self._target!r} of {self._client.peer}>"


class AsyncSecuritySetupOfMeter:
    """Security setup through an asynchronous client; see :class:`SecuritySetupOfMeter`."""

    def __init__(self, client: AsyncServices, target: Target = SECURITY_SETUP) -> None:
        self._client = client
        self._target = target

    async def read(self) -> SecuritySetupState:
        """Return policy, suite and titles; see :meth:`SecuritySetupOfMeter.read`."""
        return await self._drive(_read())

    async def activate(self, policy: SecurityPolicy) -> None:
        """Activate a policy; see :meth:`SecuritySetupOfMeter.activate`."""
        await self._drive(_activate(policy))

    async def certificates(self) -> list[CertificateInfo]:
        """Return what certificates there are; see :meth:`SecuritySetupOfMeter.certificates`."""
        return await self._drive(_certificates())

    async def generate_key_pair(self, use: CertificateType | int) -> None:
        """Have the meter make a key pair; see :meth:`SecuritySetupOfMeter.generate_key_pair`."""
        await self._drive(_generate(use))

    async def certificate_request(self, use: CertificateType | int) -> bytes:
        """Return the request to certify a key pair; see :meth:`SecuritySetupOfMeter.certificate_request`."""
        return await self._drive(_request(use))

    async def import_certificate(self, certificate: Certificate | bytes) -> None:
        """Give the meter a certificate; see :meth:`SecuritySetupOfMeter.import_certificate`."""
        await self._drive(_import(certificate))

    async def export_certificate(
        self, entity: CertificateEntity | int, use: CertificateType | int, title: bytes = b""
    ) -> Certificate:
        """Return a certificate; see :meth:`SecuritySetupOfMeter.export_certificate`."""
        return await self._drive(_export(entity, use, title))

    async def remove_certificate(
        self, entity: CertificateEntity | int, use: CertificateType | int, title: bytes = b""
    ) -> None:
        """Have the meter forget a certificate; see :meth:`SecuritySetupOfMeter.remove_certificate`."""
        await self._drive(_remove(entity, use, title))

    async def _drive(self, steps: _Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._do(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _do(self, step: _Step) -> Any:
        is_call, number, parameter = step
        if is_call:
            return await self._client.call(self._target, number, parameter, class_id=_CLASS)
        return await self._client.get(self._target, number, class_id=_CLASS)

    def __repr__(self) -> str:
        return f"<AsyncSecuritySetupOfMeter {self._target!r} of {self._client.peer}>"


# --- what both do ---------------------------------------------------------------------------------------------


def _read() -> _Steps[SecuritySetupState]:
    values: list[Any] = []
    for attribute, kind in ((2, int), (3, int), (4, bytes), (5, bytes)):
        value = yield False, attribute, None
        if not isinstance(value, kind):
            raise ProtocolError(f"attribute {attribute} of Security setup is {value!r}")
        values.append(value)
    policy, suite, client, server = values
    try:
        named: SecurityPolicy = (
            SecurityPolicyV0(int(policy))
            if 0 < policy <= _LARGEST_VERSION_0
            else SecurityPolicyV1.parse(int(policy))
        )
    except ConfigurationError as error:
        raise ProtocolError(f"the meter names a policy that there is not: {error}") from None
    return SecuritySetupState(named, int(suite), bytes(client), bytes(server))


def _activate(policy: SecurityPolicy) -> _Steps[None]:
    if not isinstance(policy, (SecurityPolicyV0, SecurityPolicyV1)):
        raise ConfigurationError(
            "a policy is a SecurityPolicyV0 or a SecurityPolicyV1: one number means two things"
        )
    yield True, _ACTIVATE, Enum(int(policy))


def _certificates() -> _Steps[list[CertificateInfo]]:
    value = yield False, 6, None
    listed = SecuritySetup.certificates.data_type
    if listed.mismatch(value) is not None:
        raise ProtocolError(f"the certificates of Security setup are {value!r}")
    return list(listed.read(value))


def _generate(use: CertificateType | int) -> _Steps[None]:
    yield True, _GENERATE, Enum(int(use))


def _request(use: CertificateType | int) -> _Steps[bytes]:
    returned = yield True, _REQUEST, Enum(int(use))
    if not isinstance(returned, bytes):
        raise ProtocolError(f"in place of a certificate request the meter returned {returned!r}")
    return bytes(returned)


def _import(certificate: Certificate | bytes) -> _Steps[None]:
    checked = certificate if isinstance(certificate, Certificate) else Certificate(certificate)
    yield True, _IMPORT, OctetString(checked.octets)


def _export(entity: CertificateEntity | int, use: CertificateType | int, title: bytes) -> _Steps[Certificate]:
    returned = yield True, _EXPORT, _identification(entity, use, title)
    if not isinstance(returned, bytes):
        raise ProtocolError(f"in place of a certificate the meter returned {returned!r}")
    return Certificate(bytes(returned))


def _remove(entity: CertificateEntity | int, use: CertificateType | int, title: bytes) -> _Steps[None]:
    yield True, _REMOVE, _identification(entity, use, title)


def _identification(entity: CertificateEntity | int, use: CertificateType | int, title: bytes) -> Structure:
    return Structure((Enum(0), Structure((Enum(int(entity)), Enum(int(use)), OctetString(title)))))
