"""What clients changed in the Security setup of a meter, beside its keys: policy, title and certificates, in a file.

A policy is only ever strengthened. Of a meter that forgets it with the next restart, whoever can make it restart can
weaken the protection. The keys stay in their own store; nothing in this file is secret, but it says what is demanded
of clients, so it is written for its owner alone, whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cosem.errors import ConfigurationError, CosemError
from cosem.security.certificates import Certificate
from cosem.security.policy import SecurityPolicy, SecurityPolicyV0, SecurityPolicyV1
from cosem.security.system_title import SystemTitle
from cosem.store.files import check_private, write_private

__all__ = ["SecurityState", "SecurityStateFile"]

_FORMAT: Final = 1
_VERSIONS: Final = (SecurityPolicyV0, SecurityPolicyV1)


@dataclass(frozen=True, slots=True)
class SecurityState:
    """What is at rest.

    Args:
        policy: The policy; ``None`` where none was ever activated.
        certificates: What was imported.
        client_title: System title of the client; ``None`` where none was ever written.
    """

    policy: SecurityPolicy | None = None
    certificates: tuple[Certificate, ...] = ()
    client_title: SystemTitle | None = None


class SecurityStateFile:
    """Policy, certificates and client's title of one meter in a file of JSON.

    Args:
        path: The file; it need not be there.

    Raises:
        ConfigurationError: It cannot be read: to go on without it could mean a weaker policy.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).expanduser().absolute()
        self._state = self._read()

    @property
    def state(self) -> SecurityState:
        """What is at rest."""
        return self._state

    def keep_policy(self, policy: SecurityPolicy) -> None:
        """Put a policy to rest.

        Raises:
            ConfigurationError: The file cannot be written; what was there is there.
        """
        if policy != self._state.policy:
            self._write(replace(self._state, policy=policy))

    def keep_certificates(self, certificates: Iterable[Certificate]) -> None:
        """Put certificates to rest, in place of those that were.

        Raises:
            ConfigurationError: The file cannot be written; what was there is there.
        """
        self._write(replace(self._state, certificates=tuple(certificates)))

    def keep_client_title(self, title: bytes) -> None:
        """Put the system title of the client to rest.

        Raises:
            ConversionError: It is none.
            ConfigurationError: The file cannot be written; what was there is there.
        """
        self._write(replace(self._state, client_title=SystemTitle(title)))

    def __repr__(self) -> str:
        return f"SecurityStateFile({str(self._path)!r})"

    def _write(self, state: SecurityState) -> None:
        content: dict[str, Any] = {"format": _FORMAT}
        if state.policy is not None:
            content["security_policy"] = int(state.policy)
            content["security_setup_version"] = int(isinstance(state.policy, SecurityPolicyV1))
        if state.client_title is not None:
            content["client_title"] = state.client_title.hex()
        content["certificates"] = [each.octets.hex() for each in state.certificates]
        write_private(self._path, json.dumps(content, indent=1).encode())
        self._state = state

    def _read(self) -> SecurityState:
        try:
            check_private(self._path)
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                raise ValueError("another format")
            policy: SecurityPolicy | None = None
            if "security_policy" in content:
                version = _VERSIONS[int(content["security_setup_version"])]
                policy = version(content["security_policy"])
            title = content.get("client_title")
            client_title = None if title is None else SystemTitle(bytes.fromhex(title))
            certificates = tuple(Certificate(bytes.fromhex(each)) for each in content["certificates"])
        except FileNotFoundError:
            return SecurityState()
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, IndexError, RecursionError, CosemError):
            raise ConfigurationError(f"{self._path} is no state of a Security setup") from None
        return SecurityState(policy, certificates, client_title)
