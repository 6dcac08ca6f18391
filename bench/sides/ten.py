"""The search space of ten parameters that every side uses, as plain data: each side runs in its own environment."""

from __future__ import annotations

FLOATS = {f"x{i}": (-5.0, 5.0) for i in range(5)}
LOGS = {"lr": (1e-5, 1e-1), "decay": (1e-6, 1e-2)}
INTS = {"layers": (1, 8), "width": (16, 512)}
CHOICES = {"kind": ("relu", "tanh", "gelu")}
