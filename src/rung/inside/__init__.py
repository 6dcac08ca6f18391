"""What runs inside the user's process: parameters, reports, checkpoints. Stdlib only; imports nothing else of ours."""

from __future__ import annotations

from rung.inside.session import checkpoint_dir, params, report, should_stop, trial

__all__ = ["checkpoint_dir", "params", "report", "should_stop", "trial"]
