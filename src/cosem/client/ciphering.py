"""How a client protects its APDUs, as an option of its security."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError
from cosem.security.policy import SecurityPolicy, SecurityPolicyV1
from cosem.security.status import LayerOptions, ProtectionForm, SecurityOptions

if TYPE_CHECKING:
    from cosem.security.material import Interpretation

__all__ = ["AUTHENTICATED_ENCRYPTION", "Ciphering"]


@dataclass(frozen=True, slots=True)
class Ciphering:
    """How APDUs are protected (IEC 62056-5-3, 5.3.7).

    Args:
        authenticated: Whether APDUs have a tag.
        encrypted: Whether APDUs are encrypted.
        dedicated: Whether a fresh key is made for each association and used once it is open.
        general: Whether the general forms are used for every service; proposes general protection.
        policy: What the meter's answers must have besides what is asked for in kind.
        options: Layers of protection in full, in place of the first four.
        encryption_only: Take and send APDUs without a tag. Nobody can tell whether those are genuine.
        in_kind: Whether an answer must be protected as its request was.
        interpretation: How the standard is read where it can be read in two ways.

    Raises:
        ConfigurationError: Neither tag nor encryption, or encryption alone without ``encryption_only``.
    """

    authenticated: bool = True
    encrypted: bool = True
    dedicated: bool = False
    general: bool = False
    policy: SecurityPolicy = SecurityPolicyV1.NOTHING
    options: SecurityOptions | None = None
    encryption_only: bool = False
    in_kind: bool = True
    interpretation: Interpretation | None = None

    def __post_init__(self) -> None:
        if self.options is None and not (self.authenticated or self.encrypted):
            raise ConfigurationError("ciphering without tag and without encryption")
        if self.options is None and not self.authenticated and not self.encryption_only:
            raise ConfigurationError("encryption without authentication has to be asked for: encryption_only")

    def security_options(self) -> SecurityOptions:
        """Return the layers around an APDU that answers nothing."""
        if self.options is not None:
            return self.options
        form = ProtectionForm.GENERAL_GLO if self.general else ProtectionForm.SERVICE_SPECIFIC
        layer = LayerOptions(form, authenticated=self.authenticated, encrypted=self.encrypted)
        return SecurityOptions((layer,))


AUTHENTICATED_ENCRYPTION: Final = Ciphering()
"""Service-specific, with tag and encryption, under the global unicast key."""
