"""The rule on recorded curves that lie beside the project (`bench/fidelity/calibration.py` measures it at length)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rung.schedule.base import Ended, Progress
from rung.schedule.curve import Curve
from rung.testing.racing import contest

DATA = Path(__file__).parents[4] / "shared" / "data" / "lcbench_curves.npz"


@pytest.mark.skipif(not DATA.exists(), reason="lcbench_curves.npz is not beside this project")
@pytest.mark.parametrize("name", ["167152", "168910"])
def test_half_of_the_epochs_are_saved_and_the_best_is_kept(name: str) -> None:
    with np.load(DATA) as data:
        curves = -data[f"{name}|accuracy"][:100].astype(float)
    scheduler = Curve(contest({"max": 52}, method="curve", goal="maximize"))
    used, finished = 0, []
    for number, curve in enumerate(curves.tolist()):
        for epoch, loss in enumerate(curve, 1):
            used += 1
            if scheduler.observe([Progress(number, float(epoch), (loss,))]):
                break
        else:
            finished.append(number)
        scheduler.observe([Ended(number, (loss,))])
    assert used < 0.5 * curves.size
    assert int(np.argmin(curves[:, -1])) in finished
