"""Hydra sweeps: `hydra.sweeper.params` of a configuration, and the sweep overrides of a command with `--multirun`.

Source of the rules: the pages "Extended Override syntax", "Multi-run" and "Optuna Sweeper plugin" of Hydra's
documentation. A trial is started as Hydra would: the application with `key=value` overrides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.sweeps import spaces
from rung.dialects.sweeps.overrides import Override, is_sweep, quoted, read_override
from rung.dialects.sweeps.spaces import Domains
from rung.execute.base import Launch
from rung.model import BadInput, Budget, Objective, Program, RunSettings, SearchSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rung.dialects.values import Value
    from rung.execute.base import Place

_MULTIRUN = ("--multirun", "-m")
_OPTUNA = ("_target_", "sampler", "direction", "storage", "study_name", "n_trials", "n_jobs", "search_space")
_SAMPLERS = {
    "TPESampler": "tpe", "RandomSampler": "random", "CmaEsSampler": "cmaes", "NSGAIISampler": "nsga2",
    "GPSampler": "gp", "QMCSampler": "sobol", "GridSampler": "grid",
}  # fmt: skip
_SAMPLER_GROUPS = {
    "tpe": "tpe", "random": "random", "cmaes": "cmaes", "nsgaii": "nsga2", "qmc": "sobol", "grid": "grid",
}  # fmt: skip
_SWEEPER = ("params", "max_batch_size", *_OPTUNA, "max_failure_rate", "custom_search_space")


class HydraDialect(Foreign):
    """The dialect of Hydra's sweeps."""

    name = "hydra"
    takes_command = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether it has `hydra.sweeper`."""
        return spaces.is_mapping_of(tree, "hydra") and spaces.is_mapping_of(tree["hydra"], "sweeper")

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that a configuration's sweep describes. Raises `BadInput` with `file:line` and the key."""
        root = spaces.root_of(text, file)
        sweeper = root.child("hydra").child("sweeper")
        fields = sweeper.fields(_SWEEPER, "a mapping with `params`")
        for key in ("search_space", "custom_search_space"):
            if key in fields:
                raise fields[key].error("is not read; write the space as `params`, as in: x: interval(0, 1)")
        defaults = _defaults(root)
        is_optuna = defaults.get("hydra/sweeper") == "optuna" or any(key in fields for key in _OPTUNA)
        domains = Domains()
        for key in fields["params"].tree("a mapping from overrides to sweeps") if "params" in fields else ():
            _add(domains, key, fields["params"].child(key), whole_ends=is_optuna)
        words = _asked_overrides(domains, asked, root, whole_ends=is_optuna)
        parameters = domains.checked()
        if not parameters:
            raise sweeper.error("sweeps nothing; give overrides as `params`", "params")
        basic = "grid" if not is_optuna and domains.are_finite() else "auto"
        goals = _goals(fields)
        workers = fields["n_jobs"].whole(1) if "n_jobs" in fields else 1
        return StudySpec(
            program=_program(words, goals),
            parameters=parameters,
            objectives=_objectives(root, goals),
            search=SearchSpec(method=_method(fields, defaults) or basic, seed=_seed(fields, root)),
            budget=Budget(trials=fields["n_trials"].whole(1) if "n_trials" in fields else None),
            run=RunSettings(cwd=spaces.where(asked).cwd, workers=workers),
        )

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """That the directions of the file and of `-m` differ: `-m NAME` without `:max` minimises."""
        wanted = (spec.program.settings if spec.program else {}).get("direction") or []
        goals = [objective.goal for objective in spec.objectives]
        if not wanted or wanted == goals:
            return ()
        return (
            f"warning: the file says direction {', '.join(wanted)}, -m says {', '.join(map(str, goals))} (-m NAME:max)",
        )

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """The application with one `key=value` for each parameter, values as Hydra's grammar quotes them."""
        words = (spec.program.settings if spec.program else {}).get("command")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise BadInput("expected the command as a list of texts", key="program.command")
        return Launch(argv=(*words, *(f"{name}={quoted(value)}" for name, value in params.items())))


def _add(domains: Domains, key: str, value: Value, *, whole_ends: bool) -> None:
    """The parameter of one override. A value that is no text is fixed, a list of them a choice."""
    if isinstance(value.value, list):
        domains.add(spaces.choice(key, value), value)
    elif isinstance(value.value, str):
        try:
            domains.add(read_override(Override(key, value.value), whole_ends=whole_ends), value)
        except BadInput as error:
            raise value.error(error.message) if not error.place else error from None
    elif isinstance(value.value, dict):
        raise value.error("is a mapping; write an override such as interval(0, 1), choice(a, b) or range(1, 5)")
    else:
        domains.add(spaces.constant(key, value), value)


def _asked_overrides(domains: Domains, asked: Asked, root: Value, *, whole_ends: bool) -> Sequence[str]:
    """The words of the command that start one trial; its sweeps are parameters, in place of those of the file."""
    words = []
    for word in asked.command:
        key, equals, text = word.partition("=")
        if word in _MULTIRUN:
            continue
        if equals and not word.startswith("-") and is_sweep(text):
            domains.parameters.pop(key, None)
            try:
                domains.add(read_override(Override(key, text), whole_ends=whole_ends), root)
            except BadInput as error:
                raise BadInput(error.message, place=f"-- {key}=") from None
        else:
            words.append(word)
            if equals:
                domains.parameters.pop(key, None)  # given on the command line, it is not swept
    return words


def _program(words: Sequence[str], goals: Sequence[str]) -> Program | None:
    return Program(dialect=HydraDialect.name, settings={"command": list(words), "direction": goals}) if words else None


# ----------------------------------------------------------------------------------------------------- the sweeper


def _goals(fields: Mapping[str, Value]) -> list[str]:
    """The directions that the Optuna sweeper is given, one for each value that the application returns."""
    if "direction" not in fields:
        return []
    given = fields["direction"]
    several = given.elements("a list of directions") if isinstance(given.value, list) else [given]
    return [each.word(("minimize", "maximize"), "direction") for each in several]


def _objectives(root: Value, goals: Sequence[str]) -> tuple[Objective, ...]:
    """A Hydra application returns its value, which has no name: `-m` gives the one that it reports. Templates for
    Lightning write it in the file, as `optimized_metric`."""
    metric = root.value.get("optimized_metric")
    if not isinstance(metric, str) or not metric.strip() or len(goals) > 1:
        return ()
    goal: Any = goals[0] if goals else "minimize"
    return (Objective(metric=root.child("optimized_metric").without_nul(), goal=goal),)


def _defaults(root: Value) -> dict[str, Any]:
    """What the defaults list says of Hydra's own groups, without `override` and the leading slash."""
    listed = root.value.get("defaults")
    pairs = (
        [pair for item in listed if isinstance(item, dict) for pair in item.items()] if isinstance(listed, list) else []
    )
    return {str(key).removeprefix("override ").strip().removeprefix("/"): value for key, value in pairs}


def _method(fields: Mapping[str, Value], defaults: Mapping[str, Any]) -> str | None:
    """The searcher for the sampler that the file names; None where it names none."""
    sampler = fields["sampler"].tree() if "sampler" in fields else {}
    if sampler.get("_target_") is not None:
        target = fields["sampler"].child("_target_")
        name = target.text("the class of a sampler").rpartition(".")[2]
        if name not in _SAMPLERS:
            raise target.error(f"the sampler {name} cannot be mapped; known: {', '.join(_SAMPLERS)}")
        return _SAMPLERS[name]
    group = defaults.get("hydra/sweeper/sampler")
    return _SAMPLER_GROUPS.get(group) if isinstance(group, str) else None


def _seed(fields: Mapping[str, Value], root: Value) -> int | None:
    """The sampler's seed, also where it is `${a.b}`, another value of the file; one from elsewhere is drawn here."""
    sampler = fields.get("sampler")
    if sampler is None or sampler.value.get("seed") is None:
        return None
    held = sampler.child("seed")
    if isinstance(held.value, str) and held.value.startswith("${") and held.value.endswith("}"):
        for part in held.value[2:-1].split("."):
            root = (
                root.child(part)
                if isinstance(root.value, dict) and part in root.value
                else type(root)(None, (), root.positions)
            )
        held = root
    return None if held.value is None else held.whole(0)
