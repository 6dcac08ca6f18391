"""`valohai.yaml` as studies: one execution of a step, or a task."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.base import NOTHING_ASKED, Asked, Switch
from rung.dialects.foreign import Foreign
from rung.dialects.names import did_you_mean
from rung.dialects.valohai import lint as linter
from rung.dialects.valohai.blueprints import Blueprints, Step, Task, names_of, read_blueprints
from rung.dialects.valohai.lint import TYPES
from rung.dialects.valohai.program import DIALECT, Settings, launch
from rung.dialects.valohai.tasks import RANDOM_FIRST, RECOMMENDED, Builder, Plan, Values, on_the_spot, single
from rung.model import BadInput, Program, StudySpec
from rung.space import Space
from rung.space.errors import SpaceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.dialects.base import Finding
    from rung.execute.base import Launch, Place

_FILES = frozenset({"valohai.yaml", "valohai.yml"})
_TOP = re.compile(r"(?:^\s*(?:#.*)?\n|^---.*\n)*^- *(?:step|task|pipeline|endpoint) *:", re.MULTILINE)


class ValohaiDialect(Foreign):
    """`valohai.yaml`."""

    name = DIALECT
    options = frozenset({"step", "task", "style"})
    takes_values = True
    lints_all = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether it is called so, or is a list of steps, tasks and the like; a broken one shows by its first item."""
        if path.name in _FILES:
            return True
        if not isinstance(tree, list):
            return tree is None and _TOP.match(text) is not None
        mappings = [item for item in tree if isinstance(item, dict)]
        ours = [item for item in mappings if linter.kind_of(item)]
        return bool(ours) and len(ours) == len(mappings)

    def names(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> Sequence[str]:
        """The parameters and inputs of the step that is asked for, also as the original's command line spells them."""
        step, _ = _chosen(read_blueprints(text, file=file), asked, file)
        flags = {item.name for item in step.parameters if item.is_flag}
        return [Switch(name) if meant in flags else name for name, meant in step.option_names().items()]

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """One execution of the step that is asked for, or the task.

        Raises:
            BadInput: with `file:line`, the key, what was expected and what to do.
        """
        blueprints = read_blueprints(text, file=file)
        step, task = _chosen(blueprints, asked, file)
        given = _by_meaning(step, asked.values)
        values = Values(step, given)
        try:
            plan = single(values) if task is None else Builder(task, values, blueprints).plan()
            for parameter in plan.parameters:
                Space((parameter,), ())
        except SpaceError as error:
            raise blueprints.positions.error(step.path, f"{error.key}: {error.message}") from None
        return _spec(step, task, plan, given)

    def lint(self, text: str, *, file: str) -> Sequence[Finding]:
        """What the original's linter says, in its words."""
        return linter.lint(text, file=file)

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """How many executions a task makes, and what of the file does not happen."""
        assert spec.program is not None
        settings = msgspec.convert(spec.program.settings, Settings)
        if settings.task is None:
            return settings.remarks
        return [*_total(spec, settings), *settings.remarks]

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """The step's commands with the values in place, its configuration files and its variables."""
        return launch(spec, params, place)


# ----------------------------------------------------------------------------------------------------------- choosing


def _chosen(blueprints: Blueprints, asked: Asked, file: str) -> tuple[Step, Task | None]:
    """The step, and the task if one is asked for. Raises `BadInput` naming what there is."""
    wanted, name, styles = asked.option("task"), asked.option("step"), asked.options.get("style", ())
    if wanted is not None and wanted in blueprints.tasks:
        return _of_task(blueprints, blueprints.tasks[wanted], name, styles)
    kind = (wanted or "grid_search").lower().replace("-", "_")
    if wanted is not None and (kind not in TYPES or not styles):
        known = blueprints.tasks
        hint = did_you_mean(wanted, known) if known else f"; {file} has no task: make one with --style"
        styled = f" (a task of that type is made with --style NAME=STYLE:...){hint}" if kind in TYPES else hint
        raise BadInput(f"no task `{wanted}`{styled}", place="--task")
    step = _step(blueprints, name, file)
    if not styles:
        return step, None
    return step, on_the_spot(wanted or "on the spot", styles, step, kind=kind)


def _of_task(blueprints: Blueprints, task: Task, name: str | None, styles: Sequence[str]) -> tuple[Step, Task]:
    """A task of the file, in which styles replace what it says of a parameter."""
    if name is not None and name != task.step:
        raise BadInput(f"task `{task.name}` is of step `{task.step}`; leave --step out", place="--step")
    step = blueprints.steps.get(task.step)
    if step is None:
        hint = did_you_mean(task.step, blueprints.steps)
        raise blueprints.positions.error((*task.path, "step"), f"no step `{task.step}`{hint}")
    if styles:
        styled = {variant.name: variant for variant in on_the_spot(task.name, styles, step, kind=task.type).variants}
        kept = [styled.pop(variant.name, variant) for variant in task.variants]
        task = msgspec.structs.replace(task, variants=[*kept, *styled.values()])
    return step, task


def _step(blueprints: Blueprints, name: str | None, file: str) -> Step:
    steps = blueprints.steps
    if not steps:
        raise BadInput("has no step to run", place=file)
    if name is None and len(steps) == 1:
        return next(iter(steps.values()))
    if name is None:
        tasks = f", or --task with one of {names_of(blueprints.tasks)}" if blueprints.tasks else ""
        raise BadInput(f"which step? give --step with one of {names_of(steps)}{tasks}", place=file)
    if name not in steps:
        raise BadInput(f"no step `{name}`{did_you_mean(name, steps)}", place="--step")
    return steps[name]


def _by_meaning(step: Step, values: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """What was given, by the parameter or input that each option means."""
    known, found = step.option_names(), dict[str, tuple[str, ...]]()
    for option, texts in values.items():
        name = known.get(option)
        if name is None:
            raise BadInput(f"step {step.name} has no such parameter{did_you_mean(option, known)}", place=f"--{option}")
        found[name] = (*found.get(name, ()), *texts)
    return found


# ----------------------------------------------------------------------------------------------------------- building


def _spec(step: Step, task: Task | None, plan: Plan, given: Mapping[str, Sequence[str]]) -> StudySpec:
    settings = Settings(
        step=step.name,
        command=step.command,
        source_path=step.source_path,
        parameters=step.parameters,
        inputs={item.name: _files(given.get(item.name, item.files)) for item in step.inputs},
        variables=step.variables,
        task=None if task is None else task.name,
        type=None if task is None else task.type,
        reuse=task is not None and task.reuse,
        remarks=plan.remarks,
    )
    return StudySpec(
        program=Program(dialect=DIALECT, settings=msgspec.to_builtins(settings)),
        parameters=tuple(plan.parameters),
        objectives=plan.objectives,
        search=plan.search,
        schedule=plan.schedule,
        budget=plan.budget,
        run=plan.run,
    )


def _files(given: Sequence[str]) -> list[str]:
    """Addresses as they are, paths in full."""
    return [text if "://" in text else str(Path(text).expanduser().absolute()) for text in given]


def _total(spec: StudySpec, settings: Settings) -> list[str]:
    space = Space(spec.parameters, spec.constraints)
    counts = [spec.budget.trials] if spec.budget.trials is not None else []
    if space.size is not None:
        counts.append(space.size * spec.search.repeats)
    if not counts:
        return []
    total = min(counts)
    lines = [f"Will create a total of {total} execution{'s' * (total != 1)}."]
    if settings.type == "bayesian_tpe" and total < RECOMMENDED:
        random = ", so all of these are" if total <= RANDOM_FIRST else ""
        text = f"Bayesian optimization is for more than {RECOMMENDED} executions: the first {RANDOM_FIRST} are random"
        lines.append(f"warning: {text}{random}")
    return lines
