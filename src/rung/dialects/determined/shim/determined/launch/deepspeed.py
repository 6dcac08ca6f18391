"""`python -m determined.launch.deepspeed`: not covered, which it says."""

from __future__ import annotations

from determined import _absent

if __name__ == "__main__":
    raise SystemExit(_absent.text("launch.deepspeed"))
