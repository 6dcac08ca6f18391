"""The stand-in's own modules, in our process too: one set of domains says what a space means, here and in a trial.

They are loaded by name, since what runs in a user's process is no part of the rooms of this package.
"""

from __future__ import annotations

from importlib import import_module

_PACKAGE = "rung.dialects.synetune.shim.syne_tune"

config_space = import_module(f"{_PACKAGE}.config_space")
"""Domains, their constructors and their JSON."""
points = import_module(f"{_PACKAGE}._points")
"""Default values, and points to evaluate."""
