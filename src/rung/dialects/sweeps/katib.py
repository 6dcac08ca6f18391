"""Katib experiments: the space, objective, algorithm and budget of the YAML, and the container's command run here.

Source of the rules: "How to Configure Experiment" and "How to Configure Early Stopping" of Katib's documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.sweeps import spaces
from rung.dialects.sweeps.spaces import Domains
from rung.model import Budget, Objective, Parameter, ScheduleSpec, SearchSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rung.dialects.values import Value

_ALGORITHMS = {
    "random": "random", "grid": "grid", "bayesianoptimization": "gp", "tpe": "tpe", "multivariate-tpe": "tpe",
    "cmaes": "cmaes", "sobol": "sobol",
}  # fmt: skip
_SPEC = (
    "objective", "algorithm", "parallelTrialCount", "maxTrialCount", "maxFailedTrialCount", "parameters",
    "earlyStopping", "trialTemplate", "metricsCollectorSpec", "resumePolicy",
)  # fmt: skip
_TEMPLATE = (
    "primaryContainerName", "trialParameters", "trialSpec", "retain", "primaryPodLabels", "successCondition",
    "failureCondition",
)  # fmt: skip
_PARAMETER = re.compile(r"\$\{trialParameters\.([^}]*)\}")
_STRATEGIES: dict[str, Any] = {"max": "max", "min": "min", "latest": "last"}


class KatibDialect(Foreign):
    """The dialect of Katib's experiments."""

    name = "katib"
    takes_command = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether it is a Kubernetes object of the kind Experiment."""
        return spaces.is_mapping_of(tree, "kind", "spec") and tree["kind"] == "Experiment" and "apiVersion" in tree

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that an experiment describes. Raises `BadInput` with `file:line` and the key."""
        root = spaces.root_of(text, file)
        spec = root.fields(("apiVersion", "kind", "metadata", "spec", "status"))["spec"]
        fields = spec.fields(_SPEC, "an experiment's spec")
        spaces.only(fields, "parameters", "objective", "algorithm", within=spec)
        domains = Domains()
        for item in fields["parameters"].elements("a list of parameters"):
            _add(domains, item)
        if "metricsCollectorSpec" in fields:
            _check_collector(fields["metricsCollectorSpec"])
        command = spaces.asked_command(asked, domains.parameters)
        if command is None and "trialTemplate" in fields:
            command = _command(fields["trialTemplate"], domains)
        objective, target = _objective(fields["objective"])
        counts = {key: fields[key].whole(least) for key, least in _COUNTS.items() if key in fields}
        workers = counts.get("parallelTrialCount", 1)
        run = spaces.where(asked)
        return StudySpec(
            command=command,
            parameters=domains.checked(),
            objectives=(objective,),
            search=_search(fields["algorithm"]),
            schedule=_early_stopping(fields["earlyStopping"]) if "earlyStopping" in fields else ScheduleSpec(),
            budget=Budget(
                trials=counts.get("maxTrialCount"), max_failures=counts.get("maxFailedTrialCount"), target=target
            ),
            run=type(run)(cwd=run.cwd, workers=workers),
        )


_COUNTS = {"parallelTrialCount": 1, "maxTrialCount": 1, "maxFailedTrialCount": 0}


# ---------------------------------------------------------------------------------------------------------- parameters


def _add(domains: Domains, item: Value) -> None:
    fields = item.fields(("name", "parameterType", "feasibleSpace"), "a parameter with name, type and feasibleSpace")
    spaces.only(fields, "name", "parameterType", "feasibleSpace", within=item)
    name = fields["name"].text("the name of a parameter")
    kind = fields["parameterType"].word(("double", "int", "discrete", "categorical"), "parameterType")
    space = fields["feasibleSpace"]
    if kind in {"discrete", "categorical"}:
        listed = space.fields(("list",))
        spaces.only(listed, "list", within=space)
        domains.add(
            _discrete(name, listed["list"]) if kind == "discrete" else spaces.choice(name, listed["list"]), item
        )
        return
    given = space.fields(("min", "max", "step", "distribution"))
    spaces.only(given, "min", "max", within=space)
    domains.add(_range(name, given, whole=kind == "int"), item)


def _discrete(name: str, listed: Value) -> Parameter:
    """An ordered list of numbers, which Katib writes as text."""
    numbers = [spaces.number(item, quoted=True) for item in listed.elements("a list of numbers")]
    if not numbers:
        raise listed.error("expected at least one number, got none")
    return Parameter(name=name, type="ordinal", values=tuple(dict.fromkeys(numbers)))


def _range(name: str, given: Mapping[str, Value], *, whole: bool) -> Parameter:
    low, high = given["min"], given["max"]
    log = False
    if "distribution" in given:
        log = given["distribution"].word(("uniform", "logUniform"), "distribution that can be mapped") == "logUniform"
    if not whole and "step" not in given:
        return spaces.interval(name, low, high, log=log, quoted=True)
    least, most = spaces.ordered(low, high, quoted=True)
    if log and least <= 0:
        raise low.error(f"must be above 0 on a log scale, got {low.spelt()}")
    read: Any = spaces.whole if whole else spaces.number
    step = read(given["step"], quoted=True) if "step" in given else None
    if step is not None and step <= 0:
        raise given["step"].error(f"must be above 0, got {given['step'].spelt()}")
    kind: Any = int if whole else float
    ends = [read(bound, quoted=True) for bound in (low, high)]
    if step is not None and step > most - least:
        ends[1], step = ends[0], None
    return Parameter(
        name=name, type="int" if whole else "float", min=kind(ends[0]), max=kind(ends[1]),
        step=None if step is None or (whole and step == 1) else kind(step), scale="log" if log else "linear",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ the rest


def _objective(value: Value) -> tuple[Objective, float | None]:
    """The objective, the best of a trial's reports unless a strategy says otherwise; and the value that ends it all."""
    fields = value.fields(("type", "goal", "objectiveMetricName", "additionalMetricNames", "metricStrategies"))
    spaces.only(fields, "type", "objectiveMetricName", within=value)
    goal: Any = fields["type"].word(("minimize", "maximize"), "type")
    name = fields["objectiveMetricName"].text("the name of a metric")
    pick: Any = "best"
    for item in fields["metricStrategies"].elements("a list of strategies") if "metricStrategies" in fields else ():
        strategy = item.fields(("name", "value"))
        spaces.only(strategy, "name", "value", within=item)
        if strategy["name"].value == name:
            pick = _STRATEGIES[strategy["value"].word(_STRATEGIES, "strategy")]
    target = float(spaces.number(fields["goal"], quoted=True)) if "goal" in fields else None
    return Objective(metric=name, goal=goal, value=pick), target


def _search(value: Value) -> SearchSpec:
    fields = value.fields(("algorithmName", "algorithmSettings"))
    spaces.only(fields, "algorithmName", within=value)
    method = _ALGORITHMS[fields["algorithmName"].word(_ALGORITHMS, "algorithm that can be mapped")]
    seed = None
    for name, setting in _settings(fields):
        if name != "random_state":
            raise setting.error(f"the setting {name} cannot be mapped; take it out")
        seed = spaces.whole(setting, quoted=True)
        if seed < 0:
            setting.expected("a whole number of at least 0")
    return SearchSpec(method=method, seed=seed)


def _early_stopping(value: Value) -> ScheduleSpec:
    """Median stopping: after `start_step` reports, compared once `min_trials_required` trials have come as far."""
    fields = value.fields(("algorithmName", "algorithmSettings"))
    spaces.only(fields, "algorithmName", within=value)
    fields["algorithmName"].word(("medianstop",), "early stopping")
    options = {"population": 3, "grace": 4}
    names = {"min_trials_required": "population", "start_step": "grace"}
    for name, setting in _settings(fields):
        if name not in names:
            raise setting.error(f"the setting {name} cannot be mapped; known: {', '.join(names)}")
        options[names[name]] = spaces.whole(setting, quoted=True)
        if options[names[name]] < 1:
            setting.expected("a whole number of at least 1")
    return ScheduleSpec(method="median", options=dict(options))


def _settings(fields: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for item in fields["algorithmSettings"].elements("a list of settings") if "algorithmSettings" in fields else ():
        pair = item.fields(("name", "value"))
        spaces.only(pair, "name", "value", within=item)
        yield pair["name"].text("the name of a setting"), pair["value"]


def _check_collector(value: Value) -> None:
    """Only what a trial prints is read. Raises `BadInput`."""
    fields = value.fields(("collector", "source"))
    kind = fields["collector"].fields(("kind",)).get("kind") if "collector" in fields else None
    if kind is not None and kind.value != "StdOut":
        raise kind.error(f"{kind.spelt()} cannot be mapped: print the metrics, and write StdOut")
    if "source" in fields:
        raise fields["source"].error("cannot be mapped: metrics are read as name=value, name: value or JSON lines")


# ------------------------------------------------------------------------------------------------------------- command


def _command(value: Value, domains: Domains) -> tuple[str, ...]:
    """The words of the primary container's `command` and `args`, with its `env` before them; its image is not used."""
    fields = value.fields(_TEMPLATE)
    spaces.only(fields, "trialSpec", within=value)
    references = _references(fields["trialParameters"], domains) if "trialParameters" in fields else {}
    container = _container(fields)
    given = container.items()
    if "command" not in given:
        raise container.error("missing; without it the program is in the image, which does not run here", "command")
    words = [
        _word(item, references)
        for key in ("command", "args")
        if key in given
        for item in given[key].elements("a list of words")
    ]
    if not words:
        given["command"].expected("a list of words")
    variables = [_variable(item, references) for item in (given["env"].elements("a list") if "env" in given else ())]
    return (*(["env", *variables] if variables else []), *words)


def _container(fields: Mapping[str, Value]) -> Value:
    """The container that trains: the one that is named, or the only one."""
    found = list(_containers(fields["trialSpec"]))
    if "primaryContainerName" in fields:
        wanted = fields["primaryContainerName"].value
        found = [item for item in found if item.value.get("name") == wanted]
    if len(found) != 1:
        raise fields["trialSpec"].error(
            f"expected one container to run, found {len(found)}; name it as `primaryContainerName`"
        )
    return found[0]


def _containers(value: Value) -> Iterator[Value]:
    """All mappings in lists called `containers`, however deep: a Job, a TFJob or any other kind has some."""
    if isinstance(value.value, dict):
        for key, item in value.tree().items():
            if key == "containers" and isinstance(item, list):
                yield from (each for each in value.child(key).elements("a list") if isinstance(each.value, dict))
            else:
                yield from _containers(value.child(key))
    elif isinstance(value.value, list):
        for item in value.elements("a list"):
            yield from _containers(item)


def _references(value: Value, domains: Domains) -> dict[str, str]:
    """By trial parameter, the parameter of the search that it refers to."""
    found = {}
    for item in value.elements("a list of trial parameters"):
        fields = item.fields(("name", "description", "reference"))
        spaces.only(fields, "name", "reference", within=item)
        target = fields["reference"].text("the name of a parameter")
        if target not in domains.parameters:
            raise fields["reference"].error(f"{target} is no parameter of the experiment")
        found[fields["name"].text("the name of a trial parameter")] = target
    return found


def _word(item: Value, references: Mapping[str, str]) -> str:
    """A word as our template has it."""
    text = item.without_nul() if isinstance(item.value, str) else item.spelt()
    pieces = _PARAMETER.split(text)
    for name in pieces[1::2]:
        if name not in references:
            raise item.error(f"${{trialParameters.{name}}} is not among `trialParameters`")
    if any("${" in piece or "$(" in piece for piece in pieces[::2]):
        raise item.error(
            "holds a variable that only Kubernetes fills in; write the value, or give a command after `--`"
        )
    return "".join(
        f"{{{references[piece]}}}" if index % 2 else spaces.literal(piece) for index, piece in enumerate(pieces)
    )


def _variable(item: Value, references: Mapping[str, str]) -> str:
    fields = item.fields(("name", "value", "valueFrom"))
    if "valueFrom" in fields:
        raise fields["valueFrom"].error("is Kubernetes's own; write a value, or give a command after `--`")
    spaces.only(fields, "name", "value", within=item)
    return f"{spaces.literal(fields['name'].text('a name'))}={_word(fields['value'], references)}"
