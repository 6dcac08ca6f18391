"""Waiting for conditions in other processes: never for a time, always with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

POLL_S = 0.01
_NEVER = threading.Event()


def until(condition: Callable[[], T], timeout: float = 20.0, *, what: str = "") -> T:
    """What `condition()` returned once it was true; the test fails when it is not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout:g} s: {what or condition}")
        _NEVER.wait(POLL_S)
    return found
