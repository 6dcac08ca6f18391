"""Event files for TensorBoard."""

from __future__ import annotations

from typing import Any

from determined import _absent


def __getattr__(name: str) -> Any:
    return _absent.attribute(__name__, name)
