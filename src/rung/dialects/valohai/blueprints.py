"""The steps and tasks of a `valohai.yaml` that has the right shape, as records."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects.positions import Path, Positions
from rung.dialects.valohai import lint
from rung.dialects.valohai.parameters import ParameterItem, listed, plain, read_parameter
from rung.dialects.valohai.styles import Variant
from rung.dialects.valohai.yamlpages import BrokenYaml, parse
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Input(msgspec.Struct, frozen=True):
    """Files that a step wants: addresses or paths."""

    name: str
    files: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step: what runs, and what it takes. `path` is its place in the file, `help` what it says of parameters."""

    name: str
    command: list[str]
    parameters: list[ParameterItem]
    inputs: list[Input]
    variables: dict[str, str]
    source_path: str | None
    time_limit_s: float | None
    stop_condition: str | None
    output_timeout: bool
    path: Path
    help: dict[str, str] = {}

    def parameter(self, name: str) -> ParameterItem | None:
        """The parameter of that name."""
        return next((item for item in self.parameters if item.name == name), None)

    def option_names(self) -> dict[str, str]:
        """What may stand after `--`: the names of parameters and inputs, and how the original's command line spells
        them, to the name that is meant."""
        own = [item.name for item in self.parameters] + [item.name for item in self.inputs]
        found = {name: name for name in own}
        for name in own:
            for spelling in (spelt(name), spelt(name).lower()):
                if spelling.strip("-"):
                    found.setdefault(spelling, name)
        return found


def spelt(name: str) -> str:
    """A name as an option: plain letters, and `-` for all else that is no letter or digit."""
    plain_letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain_letters).strip("-")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task: many executions of a step. `path` is where it stands, () for one that the command line describes."""

    name: str
    step: str
    type: str
    variants: list[Variant] = []
    sets: list[dict[str, Any]] = []
    count: int | None = None
    batch: int | None = None
    queued: int | None = None
    on_child_error: str | None = None
    metric: str | None = None
    target: float | None = None
    engine: str | None = None
    stop_condition: str | None = None
    reuse: bool = False
    path: Path = ()


class Blueprints(msgspec.Struct, frozen=True):
    """A file's steps and tasks by name, and where everything stands."""

    steps: dict[str, Step]
    tasks: dict[str, Task]
    positions: Positions


def read_blueprints(text: str, *, file: str) -> Blueprints:
    """The steps and tasks that `text` describes.

    Raises:
        BadInput: it is not YAML, has not the right shape, or cannot be read; in the words of the original's linter.
    """
    try:
        tree, positions = parse(text, file=file)
    except BrokenYaml as error:
        place = f"{file}:{error.line}" if error.line else file
        raise BadInput(f"not valid YAML: {error}", place=place) from None
    for said in _fatal(tree):
        raise positions.error(said.path, said.message.strip())
    return Blueprints(
        {name: _step(named) for name, named in lint.by_name(tree, "step").items()},
        {name: _task(named) for name, named in lint.by_name(tree, "task").items()},
        positions,
    )


def _fatal(tree: Any) -> Iterator[lint.Said]:
    """What is wrong with the shape; then with a step or task. Other items are none of our business."""
    yield from (said for said in lint.shape(tree) if said.level == "error")
    try:
        lint.readable([item for item in tree if lint.kind_of(item) in {"step", "task"}])
    except lint.Unreadable as error:
        place = [index for index, item in enumerate(tree) if lint.kind_of(item) in {"step", "task"}]
        number, *below = error.said.path
        yield error.said._replace(path=(place[int(number)], *below))
    for kind, look in (("step", lint.step_findings), ("task", lint.task_findings)):
        for named in lint.by_name(tree, kind).values():
            yield from (said for said in look(named) if said.level == "error" and "stop-condition" in said.path)


def _step(named: lint.Named) -> Step:
    body = named.body
    items = {item["name"]: read_parameter(item) for item in body.get("parameters", ())}
    return Step(
        name=body["name"],
        command=listed(body["command"]),
        parameters=list(items.values()),
        inputs=[Input(item["name"], tuple(listed(item.get("default")))) for item in body.get("inputs", ())],
        variables={
            item["name"]: item["default"] for item in body.get("environment-variables", ()) if item.get("default")
        },
        source_path=body.get("source-path"),
        time_limit_s=lint.seconds(body.get("time-limit")),
        stop_condition=body.get("stop-condition"),
        output_timeout=body.get("no-output-timeout") is not None,
        path=named.path,
        help={item["name"]: item["description"] for item in body.get("parameters", ()) if item.get("description")},
    )


def _task(named: lint.Named) -> Task:
    body = named.body
    return Task(
        name=body["name"],
        step=body["step"],
        type=lint.task_type(body.get("type")),
        variants=[Variant(v["name"], v["style"], plain(v["rules"])) for v in body.get("parameters", ())],
        sets=[plain(one) for one in body.get("parameter-sets", ()) if one],
        count=_whole(body, "execution-count"),
        batch=_whole(body, "execution-batch-size"),
        queued=_whole(body, "maximum-queued-executions"),
        on_child_error=lint.on_child_error(body.get("on-child-error")),
        metric=body.get("optimization-target-metric"),
        target=body.get("optimization-target-value"),
        engine=body.get("engine"),
        stop_condition=body.get("stop-condition"),
        reuse=bool(body.get("reuse-children")),
        path=named.path,
    )


def _whole(body: Mapping[str, Any], key: str) -> int | None:
    return None if body.get(key) is None else int(body[key])


def names_of(items: Iterable[str]) -> str:
    """The names, as a message lists them."""
    return ", ".join(f"`{name}`" for name in items)
