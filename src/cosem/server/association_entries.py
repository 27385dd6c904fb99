"""The associations that a logical device supports: profile, rights, and the object that shows each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.association.client.parameters import ALL_SERVICES_SN
from cosem.association.server.profile import AssociationProfile
from cosem.server.access_rights import AccessRights
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.server.base_names import BaseNames
    from cosem.server.objects.association import AssociationObject

__all__ = ["AssociationEntry", "new_entry"]

_LARGEST_APDU: Final = 0xFFFF
"""No unit of the wrapper holds more; a client without a limit gets blocks of that size."""


class AssociationEntry:
    """One association that a logical device supports.

    Args:
        profile: What an AARQ must ask for.
        rights: What the client may do.
        association_object: The object that shows it: Association LN, or SN where objects have short names.

    Attributes:
        active: The associations that stand at the moment.
    """

    __slots__ = ("active", "association_object", "profile", "rights")

    def __init__(
        self, profile: AssociationProfile, rights: AccessRights, association_object: AssociationObject
    ) -> None:
        self.profile = profile
        self.rights = rights
        self.association_object = association_object
        self.active: set[ServerAssociation] = set()


def new_entry(
    name: str,
    client: AssociationProfile | int,
    rights: AccessRights | None,
    base_names: BaseNames,
    *,
    secret: bytes | str | None,
    version: int | None,
    short_names: bool,
    facts: dict[str, Any],
) -> AssociationEntry:
    """Return the entry of an association, with a new object of this name; see ``LogicalDevice.add_association``.

    Raises:
        ConfigurationError: Parameters that contradict each other.
    """
    from cosem.server.security import HlsOfServer

    octets = secret.encode("utf-8") if isinstance(secret, str) else secret
    if isinstance(client, AssociationProfile):
        context = client.application_context
    else:
        default = ApplicationContext.SN if short_names else ApplicationContext.LN
        context = facts.setdefault("application_context", default)
        if context.short_names:
            facts.setdefault("conformance", ALL_SERVICES_SN)
    known: dict[str, Any] = {}
    shown: AssociationObject
    if context.short_names:
        from cosem.server.objects.association_sn import association_sn_object

        shown = association_sn_object(name, base_names, octets, 3 if version is None else version)
        known["short_names"] = shown.table
    else:
        from cosem.server.objects.association_ln import association_ln_object

        shown = association_ln_object(name, octets, 2 if version is None else version)
    if octets is not None:
        known["secret"] = shown.current_secret
    if isinstance(client, AssociationProfile):
        if octets is not None and isinstance(client.authenticator, HlsOfServer):
            known["authenticator"] = client.authenticator.with_secret(shown.current_secret)
        profile = replace(client, **known)
    else:
        if octets is not None:
            facts.setdefault("mechanism", AuthenticationMechanism.LLS)
        profile = AssociationProfile(client_sap=client, **(known | facts))
    if profile.users is None and shown.attribute("user_list") is not None and not profile.pre_established:
        profile = replace(profile, users=shown.user_ids)
    if not profile.max_send_pdu_size:
        profile = replace(profile, max_send_pdu_size=_LARGEST_APDU)
    entry = AssociationEntry(profile, rights or AccessRights.read_only(), shown)
    shown.entry = entry
    return entry
