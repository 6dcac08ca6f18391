"""What ASME's resolver was observed to do, case by case. `pytest -s` prints how many pass, deviate and are skipped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.dialects.base import Asked
from rung.dialects.hyperopt.reader import HyperOptDialect
from rung.dialects.hyperopt.settings import resolved, settings_of
from rung.model import BadInput, Parameter, StudySpec
from rung.space import Space

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT.parent / "shared" / "vectors").glob("asme_hyper_opt*.json"))
ASKED = Asked(command=("python", "{config}"))
MORE_COMPARISONS = "more comparisons"
DEVIATIONS = {MORE_COMPARISONS: "`greater` and its like are comparisons here, where the original only has `equal`"}


def cases() -> list[Any]:
    found = [
        pytest.param(case, id=f"{path.stem}-{case['case']}")
        for path in FILES
        for case in json.loads(path.read_text())["cases"]
    ]
    absent = pytest.mark.skip(reason="the vectors asme_hyper_opt*.json are not beside this project")
    return found or [pytest.param(None, marks=absent, id="absent")]


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    found: Counter[str] = Counter()
    yield found
    deviating = {DEVIATIONS[why]: n for why, n in found.items() if why != "passed"}
    print(
        f"\nasme_hyper_opt: {found['passed']} passed, {sum(deviating.values())} deviating {deviating or ''}, 0 skipped"
    )


def read(tree: Any) -> StudySpec:
    return HyperOptDialect().read(json.dumps(tree, indent=1), file="config.json", asked=ASKED)


def draws(spec: StudySpec, params: dict[str, Any]) -> dict[str, Any]:
    """What the original's trial stores: a factor is not in it."""
    factors: dict[str, Parameter] = {p.name: p for p in spec.parameters}
    found = {}
    for name, value in params.items():
        times = factors[name].times
        found[name] = value if times is None else value // params[times]
    return found


@pytest.mark.parametrize("case", cases())
def test_a_configuration_is_resolved_as_the_original_does(case: dict[str, Any], counts: Counter[str]) -> None:
    if "error" in case:
        check_error(case, counts)
        return
    spec = read(case["input"])
    settings = settings_of(spec.program)
    space = Space(spec.parameters)
    seen = []
    for unit in (0.0, 0.25, 0.5, 0.75, 1.0):
        params = space.full(space.decode(np.full((1, len(space.names)), unit))[0])
        seen.append((resolved(settings, params), draws(spec, params)))
    expected = (case["resolved"], case["trial_params"])
    assert json.dumps(expected) in [json.dumps(list(pair)) for pair in seen]
    counts["passed"] += 1


def check_error(case: dict[str, Any], counts: Counter[str]) -> None:
    if case["message"].strip("'") == "greater currently not supported":
        assert read(case["input"]).parameters[1].when == "m.heads > 1"
        counts[MORE_COMPARISONS] += 1
        return
    with pytest.raises(BadInput) as raised:
        read(case["input"])
    assert case["message"].strip("'") in raised.value.message
    assert raised.value.place.startswith("config.json:")
    counts["passed"] += 1


def test_the_deviations_are_those_of_the_document() -> None:
    text = (ROOT / "docs" / "migrate" / "hyper_opt.md").read_text()
    for why in DEVIATIONS.values():
        assert why in " ".join(text.split())
