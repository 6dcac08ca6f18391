"""Optuna search spaces as JSON: names to distributions, as `optuna.distributions.distribution_to_json` writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.hyperopt.suggest import read_suggest
from rung.dialects.sweeps import spaces
from rung.dialects.sweeps.spaces import Domains
from rung.dialects.values import Value
from rung.model import StudySpec

if TYPE_CHECKING:
    from pathlib import Path

    from rung.model import Parameter

_SUGGEST = {
    "FloatDistribution": "float",
    "IntDistribution": "int",
    "CategoricalDistribution": "categorical",
    "UniformDistribution": "uniform",
    "LogUniformDistribution": "loguniform",
    "DiscreteUniformDistribution": "discrete_uniform",
    "IntUniformDistribution": "int",
    "IntLogUniformDistribution": "int",
}
"""By class, the `suggest_*` function with the same rules."""


class OptunaSpaceDialect(Foreign):
    """The dialect of Optuna's distributions."""

    name = "optuna-space"
    takes_command = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether every value is a distribution, as an object or as the text that holds one."""
        return isinstance(tree, dict) and bool(tree) and all(_is_distribution(item) for item in tree.values())

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that a mapping of distributions describes. Raises `BadInput` with `file:line` and the key."""
        root = spaces.root_of(text, file)
        domains = Domains()
        for name in root.tree("a mapping from names to distributions"):
            domains.add(_parameter(name, root.child(name)), root.child(name))
        parameters = domains.checked()
        return StudySpec(
            command=spaces.asked_command(asked, domains.parameters), parameters=parameters, run=spaces.where(asked)
        )


def _is_distribution(item: Any) -> bool:
    if isinstance(item, str):
        return item.lstrip().startswith("{") and "Distribution" in item
    return spaces.is_mapping_of(item, "name", "attributes") and str(item["name"]).endswith("Distribution")


def _parameter(name: str, value: Value) -> Parameter:
    """The parameter of one distribution, read as the arguments of its suggest function."""
    if isinstance(value.value, str):
        try:
            tree = json.loads(value.value)
        except (ValueError, RecursionError):
            value.expected("a distribution as `distribution_to_json` writes it")
        value = Value(tree, value.path, value.positions)
    fields = value.fields(("name", "attributes"))
    spaces.only(fields, "name", "attributes", within=value)
    kind = fields["name"].word(_SUGGEST, "distribution")
    given = dict(fields["attributes"].tree())
    if kind == "IntLogUniformDistribution":
        given |= {"log": True, "step": None}
    block = {"suggest": _SUGGEST[kind], "params": {key: item for key, item in given.items() if item is not None}}
    return read_suggest(_At(block, fields["attributes"].path, value.positions), name)


class _At(Value):
    """A block made up of a distribution: errors stand at the distribution's attributes."""

    def child(self, part: str | int) -> Value:
        """`params` is where the attributes are."""
        return Value(self.value[part], self.path, self.positions)
