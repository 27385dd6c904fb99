"""What has a handle of its own in an asynchronous client: profiles, keys, security setup and protected data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosem.client.aio.services import AsyncServices

if TYPE_CHECKING:
    from cosem.client.keys import AsyncKeysOfMeter
    from cosem.client.profiles import AsyncProfile
    from cosem.client.protected_data import AsyncProtectedData
    from cosem.client.security_setup import AsyncSecuritySetupOfMeter
    from cosem.client.targets import Target

__all__ = ["AsyncHandles"]


class AsyncHandles(AsyncServices):
    """Gives handles; none of them sends anything before it is asked to."""

    def profile(self, target: Target) -> AsyncProfile:
        """Return a profile, to be read; nothing is sent yet.

        Raises:
            ConversionError: ``target`` names no object.
        """
        from cosem.client.profiles import AsyncProfile

        return AsyncProfile(self, self._session, target)

    @property
    def protected_data(self) -> AsyncProtectedData:
        """Attributes under protection of the data itself, through the object 0-0:43.2.0."""
        from cosem.client.protected_data import AsyncProtectedData

        return AsyncProtectedData(self)

    @property
    def keys(self) -> AsyncKeysOfMeter:
        """The keys of the meter, and how they are changed."""
        from cosem.client.keys import AsyncKeysOfMeter

        return AsyncKeysOfMeter(self)

    @property
    def security_setup(self) -> AsyncSecuritySetupOfMeter:
        """Security setup of the meter: policy, key pairs and certificates."""
        from cosem.client.security_setup import AsyncSecuritySetupOfMeter

        return AsyncSecuritySetupOfMeter(self)
