"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile(
    "untimed", deadline=None
)  # how fast an example runs says more of the machine than of the code
settings.load_profile("untimed")
