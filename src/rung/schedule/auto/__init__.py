"""Freeze-thaw scheduling: a joint model over configurations and resource decides who has a place."""

from __future__ import annotations

from rung.schedule.auto.scheduler import FreezeThaw

__all__ = ["FreezeThaw"]
