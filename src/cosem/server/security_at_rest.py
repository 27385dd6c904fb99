"""A security whose changes survive a restart: keys in a key file; policy, title, certificates, secrets beside it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cosem.errors import ConfigurationError
from cosem.security.key_material import PrivateKey
from cosem.security.suites import SecuritySuite
from cosem.server.held_security import HeldSecurity
from cosem.store.association_secrets import AssociationSecretsFile
from cosem.store.key_entries import entry_name
from cosem.store.security_state import SecurityStateFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cosem.security.certificates import Certificate
    from cosem.security.keys import Keys
    from cosem.security.policy import SecurityPolicy
    from cosem.server.logical_device import LogicalDevice
    from cosem.store.key_file import KeyFile

__all__ = ["held_at_rest", "keep_secrets"]


def held_at_rest(keys: Keys, store: KeyFile, name: str, **options: Any) -> HeldSecurity:
    """Return a held security that goes on where it was before a restart.

    Keys that clients change are put into the key file; the policy that they activate, the title of the client that they
    write and the certificates that they import or remove, into a file beside it: ``keys.toml`` has
    ``keys.toml.NAME.state``. Where the key file names another client than was written, the file is right.

    Args:
        keys: The keys, as the file has them.
        store: The key file.
        name: The entry of the meter.
        options: As for :class:`~cosem.server.held_security.HeldSecurity`; ``policy`` holds until a client has
            activated one.

    Raises:
        ConfigurationError: The state cannot be read, or the keys must not be used.
    """
    file = SecurityStateFile(_beside(store, name, "state"))
    state = file.state
    if state.policy is not None:
        options["policy"] = state.policy
    certificates = [*options.pop("certificates", ()), *_usable(state.certificates, keys)]

    def at_rest(changed: Keys, policy: SecurityPolicy) -> None:
        if policy != held.policy:
            file.keep_policy(policy)
        if changed != held.keys:
            _put(store, name, held.keys, changed)

    held = HeldSecurity(keys, certificates=certificates, on_change=at_rest, **options)
    if state.client_title is not None:
        with suppress(ConfigurationError):  # the key file was given another client, or another meter
            held.name_client(bytes(state.client_title))
    held.certificates.on_change = file.keep_certificates
    held.on_client_title = file.keep_client_title
    return held


def keep_secrets(device: LogicalDevice, store: KeyFile, name: str) -> None:
    """Let associations go on with the passwords and HLS secrets that clients gave them before a restart.

    They are in a file beside the key file: ``keys.toml`` has ``keys.toml.NAME.secrets``. Remove it to begin again with
    those that the meter was made with.

    Args:
        device: The logical device, with its associations.
        store: The key file.
        name: The entry of the meter.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    file = AssociationSecretsFile(_beside(store, name, "secrets"))
    for entry in device.associations:
        shown, place = entry.association_object, f"{device.name.hex()} {entry.profile.client_sap}"
        secret = file.get(place)
        if secret is not None:
            shown.change_secret(secret)
        shown.on_secret = partial(file.put, place)


def _put(store: KeyFile, name: str, former: Keys, changed: Keys) -> None:
    """Put what has changed to rest: what stands in the file besides, or is completed by its default, stays as it is."""
    different = {
        field.name: getattr(changed, field.name)
        for field in fields(changed)
        if getattr(changed, field.name) != getattr(former, field.name)
    }
    if entry_name(name) not in store.names() or "suite" in different or None in different.values():
        store.put(name, changed)
        return
    store.update(name, lambda: {"suite": changed.suite, **different})


def _beside(store: KeyFile, name: str, ending: str) -> Path:
    return Path(f"{store.path}.{quote(name, safe='')}.{ending}")


def _usable(certificates: Iterable[Certificate], keys: Keys) -> list[Certificate]:
    """Return all but those of our own whose new key pair did not come to rest before the process ended."""
    from cosem.security.requests import public_key_of

    own = bytes(keys.server_title or b"")
    pairs = [each for each in (keys.signing, keys.key_agreement) if isinstance(each, PrivateKey)]
    public = {public_key_of(SecuritySuite(keys.suite), each) for each in pairs}
    return [
        each
        for each in certificates
        if each.is_authority or each.system_title != own or each.public_key in public
    ]
