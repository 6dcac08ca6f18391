"""The harness is no part of the package: what it and these tests import goes on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench_turns import make_session, make_turns  # noqa: F401 - fixtures, found by way of the path
