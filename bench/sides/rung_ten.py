"""The ten parameters as Rung declares them."""

from __future__ import annotations

from typing import Any

from ten import CHOICES, FLOATS, INTS, LOGS

import rung


def space() -> dict[str, Any]:
    """The space of `ten`."""
    return (
        {name: rung.uniform(*bounds) for name, bounds in FLOATS.items()}
        | {name: rung.loguniform(*bounds) for name, bounds in LOGS.items()}
        | {name: rung.randint(*bounds) for name, bounds in INTS.items()}
        | {name: rung.choice(*values) for name, values in CHOICES.items()}
    )
