"""What has a handle of its own in a blocking client: profiles, keys, security setup and protected data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosem.client.blocking.services import BlockingServices

if TYPE_CHECKING:
    from cosem.client.keys import KeysOfMeter
    from cosem.client.profiles import Profile
    from cosem.client.protected_data import ProtectedData
    from cosem.client.security_setup import SecuritySetupOfMeter
    from cosem.client.targets import Target

__all__ = ["BlockingHandles"]


class BlockingHandles(BlockingServices):
    """Gives handles; none of them sends anything before it is asked to."""

    def profile(self, target: Target) -> Profile:
        """Return a profile, to be read; nothing is sent yet.

        Raises:
            ConversionError: ``target`` names no object.
        """
        from cosem.client.profiles import Profile

        return Profile(self, self._session, target)

    @property
    def protected_data(self) -> ProtectedData:
        """Attributes under protection of the data itself, through the object 0-0:43.2.0."""
        from cosem.client.protected_data import ProtectedData

        return ProtectedData(self)

    @property
    def keys(self) -> KeysOfMeter:
        """The keys of the meter, and how they are changed."""
        from cosem.client.keys import KeysOfMeter

        return KeysOfMeter(self)

    @property
    def security_setup(self) -> SecuritySetupOfMeter:
        """Security setup of the meter: policy, key pairs and certificates."""
        from cosem.client.security_setup import SecuritySetupOfMeter

        return SecuritySetupOfMeter(self)
