"""Where experiments would be launched on a cloud: only the names that definitions mention are here."""

from __future__ import annotations

from .._missing import missing

__getattr__ = missing(
    __name__, {"remote_launcher": "set `run.executor` for where trials run; nothing here starts machines of a cloud"}
)
