"""What StudioML was observed to do: ranges of the grid, ranges of plug-in optimizers, substitution.

Each run prints how many cases passed, how many deviate and why, and how many were skipped (`pytest -s`). The reasons
are those that docs/migrate/studioml.md lists, and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.dialects.studioml.ranges import grid_values, plugin_range
from rung.inside.substitution import substituted
from rung.model import BadInput, Parameter
from rung.space import Space

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
PAGE = Path(__file__).parents[3] / "docs" / "migrate" / "studioml.md"
PROMISED = "uN is what the documentation promises"
OVERSHOT = "no value lies beyond the end"
WORDS = "Words are allowed in lists"
DEVIATIONS = (PROMISED, OVERSHOT, WORDS)

Tally = Callable[[str], None]


def cases(kind: str, *keys: str) -> list[Any]:
    """The cases of all files of the kind, each as a parameter of a test; a skipped one where there is no file."""
    found = []
    for path in sorted(VECTORS.glob(f"{kind}*.json")):
        content = json.loads(path.read_text())
        for key in keys:
            found += [pytest.param(case, id=f"{path.stem}-{key}-{i}") for i, case in enumerate(content.get(key, []))]
    if found:
        return found
    absent = pytest.mark.skip(reason=f"the vectors {kind}*.json are not beside this project")
    return [pytest.param(None, marks=absent, id="absent")]


def in_words(text: str) -> list[float]:
    """The values that a case describes: `10 equally spaced points 1e-5..0.1`, or `same as RANGE`."""
    count, _, ends = text.partition(" equally spaced points ")
    if ends:
        low, _, high = ends.partition("..")
        return list(np.linspace(float(low), float(high), int(count)))
    assert text.startswith("same as "), text
    return grid_values(text.removeprefix("same as "))


@pytest.mark.parametrize("case", cases("studioml_grid", "upstream_unit_test", "documented", "observed"))
def test_grid(case: dict[str, Any], tally: Tally) -> None:
    expected = case.get("expect", case.get("values"))
    if isinstance(expected, str):
        expected = in_words(expected)
    try:
        found = grid_values(case["range"])
    except BadInput:
        assert "error" in case
        tally("passed")
        return
    if "error" in case:
        words = any(isinstance(value, str) for value in found)
        assert words or "u" in case["range"].split(":")[1]
        tally(WORDS if words else PROMISED)
        return
    assert expected is not None
    end = float(case["range"].rpartition(":")[2].rpartition(",")[2])
    beyond = [value for value in expected if ":" in case["range"] and _is_beyond(value, expected, end)]
    kept = [value for value in expected if value not in beyond]
    assert np.isclose(found, kept).all()
    assert len(found) == len(kept)
    tally(OVERSHOT if beyond else "passed")


def _is_beyond(value: float, values: list[float], end: float) -> bool:
    return (value - end) * (1 if values[-1] >= values[0] else -1) > 1e-9


@pytest.mark.parametrize("case", cases("studioml_grid", "documented"))
def test_substituted_integers_stay_integers(case: dict[str, Any], tally: Tally) -> None:
    whole = all("." not in part and "e" not in part for part in case["range"].replace(",", ":").split(":"))
    if isinstance(case["expect"], list) and whole:
        assert all(type(value) is int for value in grid_values(case["range"]))
    tally("passed")


@pytest.mark.skipif(not list(VECTORS.glob("studioml_grid*.json")), reason="the vectors are not beside this project")
def test_the_grid_is_the_product_with_the_first_option_slowest() -> None:
    for path in VECTORS.glob("studioml_grid*.json"):
        case = json.loads(path.read_text())["upstream_unfold"]
        parameters = [Parameter(name=name, type="ordinal", values=tuple(v)) for name, v in case["in"].items()]
        found = list(Space(parameters).grid())
        assert sorted(found, key=str) == sorted(case["expect_any_order"], key=str)
        first = next(iter(case["in"]))
        assert [each[first] for each in found] == sorted(each[first] for each in found)


@pytest.mark.parametrize("case", cases("studioml_plugin_ranges", "observed"))
def test_plugin_ranges(case: dict[str, Any], tally: Tally) -> None:
    if "error" not in case:
        found = plugin_range("lr", case["range"], "cmaes", index=case["index"])
        for key in set(case) - {"range"}:
            assert getattr(found, key) == pytest.approx(case[key]), key
        tally("passed")
        return
    with pytest.raises(BadInput) as error:
        plugin_range("lr", case["range"], "cmaes")
    if case["message"] == "math domain error":
        assert "a log scale needs bounds above 0" in error.value.message
        assert "write lr=" in error.value.message
        better = error.value.message.rpartition("write lr=")[2]
        assert plugin_range("lr", better, "cmaes").is_log
    else:
        assert error.value.message.startswith(case["message"])
    tally("passed")


@pytest.mark.parametrize("case", cases("studioml_substitution", "cases"))
def test_substitution(case: dict[str, Any], tally: Tally) -> None:
    assert substituted(case["script"], {case["param"]: case["value"]}) == case["result"]
    tally("passed")


@pytest.mark.parametrize(
    "case", cases("studioml_substitution", "seed_script_train_mnist_keras_0.0.35_lr_0.05_changed_lines")
)
def test_substituted_lines(case: dict[str, Any], tally: Tally) -> None:
    assert substituted(case["before"] + "\n", {"lr": 0.05}) == case["after"] + "\n"
    tally("passed")


def test_the_deviations_are_on_the_page() -> None:
    text = " ".join(PAGE.read_text().split())
    assert not [why for why in DEVIATIONS if why not in text]
