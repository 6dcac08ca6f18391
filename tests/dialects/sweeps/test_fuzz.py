"""No text is more than refused, in one line, by any of the small formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.dialects.base import Asked
from rung.model import BadInput
from rung.plugins import find

NAMES = ["hydra", "katib", "nni", "optuna-space", "raytune", "wandb"]
_WORDS = st.sampled_from(
    ["apiVersion", "kind", "Experiment", "spec", "parameters", "objective", "algorithm", "algorithmName", "random",
     "type", "maximize", "objectiveMetricName", "name", "parameterType", "feasibleSpace", "min", "max", "step", "list",
     "double", "int", "categorical", "discrete", "trialTemplate", "trialSpec", "containers", "command", "args", "env",
     "value", "hydra", "sweeper", "params", "n_trials", "choice(a,b)", "range(1,5)", "interval(0,1)", "tag(log,",
     "_type", "_value", "_name", "choice", "quniform", "loguniform", "randint", "uniform", "normal", "attributes",
     "FloatDistribution", "IntDistribution", "low", "high", "log", "choices", "param_space", "grid_search", "lower",
     "upper", "q", "method", "values", "distribution", "q_log_uniform", "log_uniform", "metric", "early_terminate",
     "hyperband", "min_iter", "max_iter", "s", "eta", "${args}", "program"]
)  # fmt: skip
_LEAVES = _WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4), max_leaves=25
)
_INNER: dict[str, st.SearchStrategy[Any]] = {
    "hydra": st.fixed_dictionaries({"hydra": st.fixed_dictionaries({"sweeper": st.fixed_dictionaries({"params": _TREES})})}),
    "katib": st.fixed_dictionaries(
        {
            "apiVersion": st.just("v1"), "kind": st.just("Experiment"),
            "spec": st.dictionaries(st.sampled_from(["objective", "algorithm", "parameters", "trialTemplate"]), _TREES),
        }
    ),
    "nni": st.dictionaries(_WORDS, st.fixed_dictionaries({"_type": _WORDS, "_value": _TREES}), max_size=3),
    "optuna-space": st.dictionaries(_WORDS, st.fixed_dictionaries({"name": _WORDS, "attributes": _TREES}), max_size=3),
    "raytune": st.dictionaries(_WORDS, st.dictionaries(_WORDS, _TREES, max_size=1), max_size=3),
    "wandb": st.fixed_dictionaries({"method": _WORDS, "parameters": st.dictionaries(_WORDS, _TREES, max_size=3)}),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(data=st.data())
def test_no_tree_is_more_than_refused(name: str, data: st.DataObject) -> None:
    tree = data.draw(_TREES | _INNER[name])
    if not find("dialects", name)().detect(None, "", tree):
        return
    asked = Asked(command=("x",) if data.draw(st.booleans()) else ())
    said = ""
    try:
        find("dialects", name)().read(json.dumps(tree), file="f.yaml", asked=asked)
    except BadInput as error:
        said = str(error)
    assert "\n" not in said
