"""What the server's side of an association asks its application process, and what it tells it.

:meth:`~cosem.association.server.association.ServerAssociation.process` yields
these one after the other and is sent the outcome of each. Who pumps decides how
an outcome is found: at once, by waiting for a coroutine, or in another process.

==========================  =====================================================
indication                  outcome that is sent back
==========================  =====================================================
:class:`OpenIndication`     ``None`` to go on, or an :class:`OpenRefusal`
:class:`ReadAttribute`      the value, or a ``DataAccessResult`` other than success
:class:`WriteAttribute`     a ``DataAccessResult``
:class:`InvokeMethod`       a :class:`MethodOutcome`
every other                 ignored: they only tell
==========================  =====================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cosem.types.data import ABSENT
from cosem.types.enumerations import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    DataAccessResult,
)
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.apdu.acse import AARQ
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.profile import AssociationProfile
    from cosem.types.data import Absent, DataValue

__all__ = [
    "AbortIndication",
    "AuthenticationFailed",
    "DecipheringFailed",
    "Established",
    "Fault",
    "Indication",
    "InvokeMethod",
    "MethodOutcome",
    "NotificationConfirmed",
    "OpenIndication",
    "OpenRefusal",
    "ReadAttribute",
    "ReleaseIndication",
    "WriteAttribute",
]


@dataclass(frozen=True, slots=True)
class OpenIndication:
    """COSEM-OPEN.indication: a client asks for an association, before anything it claims was checked.

    Args:
        aarq: What it sent.
        profile: The association that it would get; ``None`` where none is configured for its address.
    """

    aarq: AARQ
    profile: AssociationProfile | None


@dataclass(frozen=True, slots=True)
class OpenRefusal:
    """Why the application process does not want the association.

    Args:
        result: Rejected for good, or for now.
        diagnostic: The diagnostic that the client is told.
        initiate_error: The initiate error in the confirmedServiceError: 4 is refused-by-the-VDE-Handler.
    """

    result: AssociationResult = AssociationResult.REJECTED_TRANSIENT
    diagnostic: AcseServiceUserDiagnostic = AcseServiceUserDiagnostic.NO_REASON_GIVEN
    initiate_error: int = 4


@dataclass(frozen=True, slots=True)
class AuthenticationFailed:
    """A password, a proof or a tag was wrong; the client was or is being told.

    Args:
        mechanism: How the client was to prove who it is.
        guessable: Whether it was a secret that somebody may guess in time; tags and signatures are not guessed.
    """

    mechanism: int
    guessable: bool = True


@dataclass(frozen=True, slots=True)
class DecipheringFailed:
    """A request in an association that stands could not be deciphered: a wrong key or tag, or octets of a stranger.

    Args:
        client_title: System title of the client whose association it is; it need not have sent this.
        count: How many there were since the last genuine request.
        ignored: Whether it is not answered any more.
    """

    client_title: bytes | None
    count: int
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Established:
    """The association stands.

    Args:
        pending: Whether the HLS passes 3 and 4 are still to come; told a second time when they are done.
    """

    pending: bool = False


@dataclass(frozen=True, slots=True)
class ReadAttribute:
    """GET.indication of one attribute; attribute 0 stands for all of them.

    Args:
        class_id: The interface class that the client names.
        instance_id: The logical name.
        attribute_id: 0 for all, 1 and above of the standard, negative ones of the manufacturer.
        selection: Which part of it.
    """

    class_id: int
    instance_id: LogicalName
    attribute_id: int
    selection: SelectiveAccessDescriptor | None = None


@dataclass(frozen=True, slots=True)
class WriteAttribute:
    """SET.indication of one attribute; see :class:`ReadAttribute`."""

    class_id: int
    instance_id: LogicalName
    attribute_id: int
    value: DataValue
    selection: SelectiveAccessDescriptor | None = None


@dataclass(frozen=True, slots=True)
class InvokeMethod:
    """ACTION.indication of one method.

    Args:
        class_id: The interface class that the client names.
        instance_id: The logical name.
        method_id: 1 and above of the standard, negative ones of the manufacturer.
        parameters: What the client sent along; ``ABSENT`` for nothing.
    """

    class_id: int
    instance_id: LogicalName
    method_id: int
    parameters: DataValue | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class MethodOutcome:
    """What came of an :class:`InvokeMethod`.

    Args:
        result: Success, or why not.
        return_parameters: What the method returns; ``ABSENT`` for nothing.
    """

    result: ActionResult = ActionResult.SUCCESS
    return_parameters: DataValue | DataAccessResult | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class ReleaseIndication:
    """COSEM-RELEASE.indication: the client releases the association; it cannot be refused."""

    reason: int | None = None


@dataclass(frozen=True, slots=True)
class NotificationConfirmed:
    """DataNotification.confirm: the client has what was sent under this long invoke-id."""

    long_invoke_id: int


@dataclass(frozen=True, slots=True)
class AbortIndication:
    """COSEM-ABORT.indication: the association is gone, and nobody asked for that."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The application process gave a value that cannot be sent; the client is told other-reason."""

    subject: ReadAttribute | InvokeMethod
    error: Exception


Indication: TypeAlias = (
    OpenIndication
    | AuthenticationFailed
    | DecipheringFailed
    | Established
    | ReadAttribute
    | WriteAttribute
    | InvokeMethod
    | ReleaseIndication
    | NotificationConfirmed
    | AbortIndication
    | Fault
)
