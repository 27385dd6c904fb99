"""What every test shares: how much hypothesis tries, and how long anything may wait."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# The same examples on every run of CI: a failure there is found again here. Time is never a reason to fail.
settings.register_profile("default", deadline=None, max_examples=60)
settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))
