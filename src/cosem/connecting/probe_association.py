"""What probing learns from associations: the name of the meter, and whether it has logical names or short names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cosem.errors import AssociationRefused, CosemError
from cosem.types.enumerations import AcseServiceUserDiagnostic

if TYPE_CHECKING:
    from cosem.client.blocking import Client

__all__ = ["is_of_names", "name_in_words"]

_IDENTITY: Final = "0-0:42.0.0"


def name_in_words(meter: Client) -> str:
    """Return in words what a meter is called."""
    try:
        name: Any = meter.read(_IDENTITY).value
    except CosemError as error:
        return f"the name of the meter cannot be read: {error}"
    return f"the meter is called {name.decode('latin-1') if isinstance(name, bytes) else name}"


def is_of_names(problem: CosemError) -> bool:
    """Return whether an association was refused for its logical names, its short names, or its ciphering.

    >>> is_of_names(AssociationRefused(1, "acse-service-user", 2, "", "", "")), is_of_names(CosemError())
    (True, False)
    """
    return (
        isinstance(problem, AssociationRefused)
        and problem.source == "acse-service-user"
        and problem.diagnostic == AcseServiceUserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED
    )
