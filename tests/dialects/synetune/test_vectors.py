"""What Syne Tune 0.13 was observed to do with spaces, points, grids, reports and fronts.

Each run prints how many cases passed, how many deviate and why, and how many were skipped (`pytest -s`).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.dialects.synetune.domains import domains_of, first_points, to_parameters
from rung.dialects.synetune.shim.syne_tune import _points, config_space
from rung.dialects.synetune.shim.syne_tune.report import retrieve
from rung.dialects.synetune.shim.syne_tune.utils.convert_domain import streamline_config_space
from rung.execute.base import Cursor
from rung.execute.channels import Channels
from rung.search.pareto import hypervolume
from rung.space import Space

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
LOGRANDINT = "lograndint gives end points their full share"
N = 20_000
ENDED = re.compile(r"(log)?finrange\(\[(.*)\]\)")

Tally = Callable[[str], None]


def cases(kind: str, key: str) -> list[Any]:
    """The cases of all files of the kind, each as a parameter of a test; a skipped one where there is no file."""
    found = []
    for path in sorted(VECTORS.glob(f"synetune_{kind}*.json")):
        listed = json.loads(path.read_text()).get(key, [])
        listed = [list(item) for item in listed.items()] if isinstance(listed, dict) else listed
        found += [pytest.param(case, id=f"{path.stem}-{key}-{i}") for i, case in enumerate(listed)]
    if found:
        return found
    absent = pytest.mark.skip(reason=f"the vectors synetune_{kind}*.json are not beside this project")
    return [pytest.param(None, marks=absent, id="absent")]


def made(text: Any) -> Any:
    """The domain that a vector writes as `randint(1, 5)` or `finrange([0.0,0.5,1.0])`; anything else is a constant."""
    if not isinstance(text, str):
        return text
    if listed := ENDED.fullmatch(text):
        values = json.loads(f"[{listed[2]}]")
        make = config_space.logfinrange if listed[1] else config_space.finrange
        return make(values[0], values[-1], len(values), cast_int=all(isinstance(value, int) for value in values))
    names = {name: getattr(config_space, name) for name in config_space.__all__}
    try:
        return eval(text, {"__builtins__": {}, "exp": math.exp}, names)  # our own vectors
    except NameError:
        return text


def space_of(case: dict[str, Any]) -> dict[str, Any]:
    return {name: made(text) for name, text in case.items()}


@pytest.mark.parametrize("case", cases("domains", "domains"))
def test_domains(case: dict[str, Any], tally: Tally) -> None:
    domain = made(case["domain"])
    middle = _points.default_value(domain)
    assert repr(domain) == case["repr"]
    assert domain.value_type.__name__ == case["value_type"]
    assert len(domain) == case["len"]
    assert middle == pytest.approx(case["default_midpoint"], rel=1e-12)
    assert type(middle).__name__ == case["midpoint_type"]
    if "values" in case:
        assert domain.values == pytest.approx(case["values"], rel=1e-12)
    for name in ("lower", "upper"):
        if f"internal_{name}" in case:
            assert getattr(domain, f"{name}_int") == pytest.approx(case[f"internal_{name}"])
    (parameter,) = to_parameters({"x": domain})
    space = Space([parameter])
    assert space.size == (case["len"] or None)
    assert space.defaults()["x"] == pytest.approx(middle, rel=1e-12)
    tally("passed")


@pytest.mark.parametrize("case", cases("domains", "sampling_frequencies_N20000"))
def test_sampling_frequencies(case: list[Any], tally: Tally) -> None:
    text, expected = case
    domain = made(text)
    found = Counter(str(value) for value in domain.sample(size=N, random_state=np.random.RandomState(0)))
    assert found.keys() <= expected.keys()
    shares = {value: found[value] / N for value in expected}
    if text.startswith("lograndint"):
        width = math.log(domain.upper + 0.5) - math.log(domain.lower - 0.5)
        exact = {v: (math.log(int(v) + 0.5) - math.log(int(v) - 0.5)) / width for v in expected}
        assert shares == pytest.approx(exact, abs=0.012)
        tally(LOGRANDINT)
    else:
        assert shares == pytest.approx(expected, abs=0.02)
        tally("passed")


@pytest.mark.parametrize("case", cases("domains", "upstream_finrange_values"))
def test_finite_ranges(case: dict[str, Any], tally: Tally) -> None:
    domain = made(case["domain"])
    assert domain.values == pytest.approx(case["values"], rel=1e-9)
    (parameter,) = to_parameters({"x": domain})
    assert Space([parameter]).values("x") == pytest.approx(case["values"], rel=1e-9)
    tally("passed")


@pytest.mark.parametrize("case", cases("domains", "upstream_config_space_size"))
def test_config_space_size(case: dict[str, Any], tally: Tally) -> None:
    space = space_of(case["space"])
    assert config_space.config_space_size(space) == case["size"]
    assert Space(to_parameters(space)).size == case["size"]
    tally("passed")
    for text, size in case["plus_f"].items():
        assert config_space.config_space_size({**space, "f": made(text)}) == size
        tally("passed")


@pytest.mark.parametrize("case", cases("domains", "upstream_ordinal_default_is_nn"))
def test_default_kind_of_ordinals(case: list[Any], tally: Tally) -> None:
    values, nearest = case
    assert isinstance(config_space.ordinal(values), config_space.OrdinalNearestNeighbor) == nearest
    tally("passed")


@pytest.mark.parametrize("case", cases("domains", "upstream_restrict_domain"))
def test_restricted_domains(case: dict[str, Any], tally: Tally) -> None:
    restricted = config_space.restrict_domain(made(case["domain"]), case["lower"], case["upper"])
    assert restricted.values == case["values"]
    tally("passed")


@pytest.mark.parametrize("case", cases("streamline", "cases"))
def test_streamlined(case: dict[str, Any], tally: Tally) -> None:
    found = streamline_config_space({case["name"]: made(case["in"])})
    assert repr(found[case["name"]]) == case["out"]
    tally("passed")


def points_cases() -> list[Any]:
    found = []
    for path in sorted(VECTORS.glob("synetune_points_to_evaluate*.json")):
        content = json.loads(path.read_text())
        found += [
            pytest.param({"space": content["space"], **case}, id=f"{path.stem}-{i}")
            for i, case in enumerate(content["cases"])
        ]
    return found or cases("points_to_evaluate", "cases")


@pytest.mark.parametrize("case", points_cases())
def test_points_to_evaluate(case: dict[str, Any], tally: Tally) -> None:
    space = space_of(case["space"])
    assert _points.impute_points_to_evaluate(case["points_to_evaluate"], space) == case["expect"]
    start = first_points(case["points_to_evaluate"], space)
    assert list(start) == case["expect"]
    ours = Space(to_parameters(space))
    for point, expected in zip(start, case["expect"], strict=True):
        assert _rounded(ours.check(point)) == _rounded(expected)
    tally("passed")


@pytest.mark.parametrize("case", cases("grid", "cases"))
def test_grid(case: dict[str, Any], tally: Tally) -> None:
    gridded = pytest.importorskip("rung.dialects.synetune.shim.syne_tune.optimizer._grid").gridded
    space = domains_of(space_of({name: _constant(text) for name, text in case["space"].items()}))
    cut = gridded(space, case["num_samples"] or {})
    ours = Space(to_parameters({name: _listed(domain) for name, domain in cut.items()}))
    found = [ours.full(config) for config in ours.grid()]
    assert sorted(map(_rounded, found)) == sorted(map(_rounded, case["sequence"]))
    tally("passed")


def _listed(domain: Any) -> Any:
    """The domain by its JSON: it may come from another copy of the module."""
    return config_space.to_dict(domain) if hasattr(domain, "kwargs") else domain


def _constant(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _rounded(config: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted((name, round(value, 10) if isinstance(value, float) else value) for name, value in config.items())


@pytest.mark.parametrize("case", cases("report_lines", "parse"))
def test_report_lines(case: dict[str, Any], tally: Tally) -> None:
    assert retrieve(case["in"]) == case["out"]
    found = []
    channels = Channels(("train_nll",), ("step",), Cursor())
    for line in case["in"]:
        found += channels.stdout_line(line.encode(), 0, 0.0)
    assert [{"step": report.step, **report.values} for report in found] == case["out"]
    tally("passed")


@pytest.mark.parametrize("case", cases("report_lines", "example_lines"))
def test_example_lines(case: str, tally: Tally) -> None:
    (report,) = Channels(("metric",), ("step",), Cursor()).stdout_line(case.encode(), 0, 5.0)
    (said,) = retrieve([case])
    assert (report.step, report.values) == (said["step"], {"metric": said["metric"]})
    assert report.time == said["st_worker_timestamp"]
    tally("passed")


def test_what_the_reporter_says_of_itself_is_a_metric_only_where_one_is_asked_for() -> None:
    line = b'[tune-metric]: {"loss": 1, "st_worker_timestamp": 7.5, "st_worker_time": 2.5, "st_worker_iter": 0, "x": 3}'
    (plain,) = Channels(("loss",), (), Cursor()).stdout_line(line, 0, 9.0)
    assert (plain.time, plain.values) == (7.5, {"loss": 1, "x": 3})
    (asked,) = Channels(("loss", "st_worker_time"), ("st_worker_iter",), Cursor()).stdout_line(line, 0, 9.0)
    assert (asked.step, asked.values) == (0, {"loss": 1, "st_worker_time": 2.5, "x": 3})
    (bare,) = Channels(("st_worker_iter",), (), Cursor()).stdout_line(line[15:], 0, 9.0)
    assert (bare.time, "st_worker_time" in bare.values) == (9.0, True)


@pytest.mark.parametrize("case", cases("hypervolume", "hypervolume"))
def test_hypervolume(case: dict[str, Any], tally: Tally) -> None:
    points = np.array(case["points"], dtype=float)
    assert hypervolume(points, np.array(case["ref"], dtype=float)) == pytest.approx(case["value"])
    tally("passed")


@pytest.mark.parametrize("case", cases("hypervolume", "hypervolume_cumulative"))
def test_cumulative_hypervolume(case: dict[str, Any], tally: Tally) -> None:
    points, reference = np.array(case["points"], dtype=float), np.array(case["ref"], dtype=float)
    found = [hypervolume(points[: end + 1], reference) for end in range(len(points))]
    assert found == pytest.approx(case["values"])
    tally("passed")
