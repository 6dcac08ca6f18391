"""The same names at the place where some versions have them."""

from ..optimizer.baselines import *  # noqa: F403
