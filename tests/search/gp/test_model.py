from __future__ import annotations

import numpy as np
import pytest

from rung.search.gp import model as gp
from rung.search.gp.fit import profile, unpack
from rung.space import Space
from rung.space.scales import Floats
from search.gp.problems import CONDITIONAL, SMOOTH, rows_of, slow_kernel, studied


def _model() -> tuple[gp.Model, Floats]:
    fixed, y, h = studied()
    model = gp.condition(fixed.shape, h, fixed.inputs, y)
    assert model is not None
    return model, h


def test_predictions_are_those_of_the_textbook() -> None:
    """Rasmussen & Williams 2006, eqs. 2.25 and 2.26, by plain inverses."""
    fixed, y, h = studied()
    model, _ = _model()
    known, asked = rows_of(Space(CONDITIONAL), 24), rows_of(Space(CONDITIONAL), 7, seed=5)
    task = np.concatenate([fixed.inputs.task, np.zeros(7, dtype=np.int64)])
    every = slow_kernel(fixed.shape, h, np.concatenate([known, asked]), task)
    noisy = every[:24, :24] + unpack(fixed.shape, h).noise * np.eye(24)
    found = profile(np.asarray(np.linalg.cholesky(noisy)), y)
    inverse, cross = np.linalg.inv(noisy), every[24:, :24]
    at = gp.predict(model, asked)
    np.testing.assert_allclose(at.mean, found.mean + cross @ inverse @ (y - found.mean), rtol=1e-6, atol=1e-8)
    left = 1 - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    np.testing.assert_allclose(at.sd, np.sqrt(found.variance * left), rtol=1e-5)


def test_the_gradient_by_the_rows_is_that_of_finite_differences() -> None:
    model, _ = _model()
    asked = rows_of(Space(CONDITIONAL), 6, seed=8)
    by_mean, by_sd = np.linspace(-1, 1, 6), np.linspace(2, -1, 6)
    gradient = gp.pull(model, gp.predict(model, asked), by_mean, by_sd)

    def total(rows: Floats) -> Floats:
        at = gp.predict(model, rows)
        return np.asarray(by_mean * at.mean + by_sd * at.sd)

    for column in SMOOTH:
        ahead, behind = asked.copy(), asked.copy()
        ahead[:, column] += 1e-6
        behind[:, column] -= 1e-6
        numeric = (total(ahead) - total(behind)) / 2e-6
        expected = np.where(np.isnan(asked[:, column]), gradient[:, column], numeric)  # nobody asks there
        np.testing.assert_allclose(gradient[:, column], expected, rtol=1e-5, atol=1e-6)
    assert not gradient[:, [2, 4]].any()


def test_believing_is_conditioning_on_the_predicted_mean() -> None:
    """The extended factor gives what a model of all rows gives, but for the noise of the believed ones."""
    model, _ = _model()
    waiting, asked = rows_of(Space(CONDITIONAL), 5, seed=11), rows_of(Space(CONDITIONAL), 9, seed=12)
    told = gp.believe(model, waiting)
    before, after = gp.predict(model, asked), gp.predict(told, asked)
    np.testing.assert_allclose(after.mean, before.mean, rtol=1e-9)
    assert (after.sd <= before.sd + 1e-12).all()
    at = gp.predict(told, waiting)
    assert (at.sd < 0.01 * np.sqrt(model.variance)).all()
    one_by_one = model
    for row in waiting:
        one_by_one = gp.believe(one_by_one, row[None, :])
    np.testing.assert_allclose(gp.predict(one_by_one, asked).sd, after.sd, rtol=1e-6)


@pytest.mark.parametrize("copies", [2, 300])
def test_pending_rows_that_are_equal(copies: int) -> None:
    model, _ = _model()
    waiting = np.repeat(rows_of(Space(CONDITIONAL), 1, seed=2), copies, axis=0)
    at = gp.predict(gp.believe(model, waiting), waiting[:1])
    assert np.isfinite(at.mean).all()
    assert at.sd[0] < 0.1
