"""The errors of the original that a program raises or catches."""

from __future__ import annotations


class InvalidHP(Exception):
    """Raised by a program that cannot work with its hyperparameters: the trial ends, and another takes its place."""


class InvalidConfigurationException(Exception):
    """The experiment configuration cannot be used."""


class InvalidCheckpointException(Exception):
    """A checkpoint cannot be loaded."""
