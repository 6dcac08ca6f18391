"""Pipelines, which are not run here: what the original's linter says about them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rung.dialects.valohai.parameters import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rung.dialects.positions import Path

_SOCKETS = frozenset(
    {"dependency", "deployment", "environment-variable", "file", "input", "metadata", "output", "parameter"}
)
_WHENS = frozenset({"node-complete", "node-starting", "node-error"})
_THENS = frozenset({"noop", "stop-pipeline", "error-pipeline"})
PRESET = 'missing "environment". When specifying a runtime config preset, you must also specify an environment.'

Item = dict[str, Any]


class Unlinted(Exception):
    """The original's linter fails here, with these words."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


def pipeline_errors(pipeline: Item) -> Iterator[tuple[str, Path, bool]]:
    """What keeps the pipeline from being read: the words, where, and whether they stand for themselves."""
    for index, edge in enumerate(pipeline["edges"]):
        if isinstance(edge, list) and len(edge) != 2:
            yield f"Malformed edge shorthand {edge}", ("edges", index), True
            continue
        for word, socket in zip(("Source", "Target"), _ends(edge), strict=True):
            parts = len(socket.split(".", 2))
            if parts != 3:
                text = f"{word} specifier {socket!r} must have 3 parts (it has {parts})"
                yield text, ("edges", index), True
    for index, parameter in enumerate(pipeline.get("parameters", ())):
        if "target" in parameter and "targets" in parameter:
            yield "Pipeline parameter cannot have both: target and targets", ("parameters", index), False
        if "name" not in parameter:
            text = "PipelineParameter.__init__() missing 1 required keyword-only argument: 'name'"
            yield text, ("parameters", index), False


def _ends(edge: Any) -> tuple[str, str]:
    return (edge["source"], edge["target"]) if isinstance(edge, dict) else (edge[0], edge[1])


def pipeline_findings(
    pipeline: Item, steps: Mapping[str, Item], tasks: Mapping[str, Item]
) -> Iterator[tuple[str, Path, str]]:
    """What is to be said about a pipeline that can be read: level, where, the words. Raises `Unlinted`."""
    counts = Counter(node["name"] for node in pipeline["nodes"])
    for name, times in counts.items():
        if times > 1:
            yield "error", ("nodes",), f"Pipeline {pipeline['name']} has {times} nodes with the same name of {name}"
    nodes = {node["name"]: node for node in pipeline["nodes"]}
    for index, node in enumerate(pipeline["nodes"]):
        for level, message in _node(pipeline, node, steps, tasks):
            yield level, ("nodes", index), message
    for index, edge in enumerate(pipeline["edges"]):
        for message in _edge(pipeline, edge, nodes):
            yield "error", ("edges", index), message
    for index, parameter in enumerate(pipeline.get("parameters", ())):
        for level, message in _parameter(pipeline, parameter, nodes, steps, ("parameters", index)):
            yield level, ("parameters", index), message


def _node(
    pipeline: Item, node: Item, steps: Mapping[str, Item], tasks: Mapping[str, Item]
) -> Iterator[tuple[str, str]]:
    for action in node.get("actions", ()):
        yield from _action(action)
    if node["type"] == "deployment":
        if not node["name"]:
            yield "error", "Deployment has no name"
        return
    if node.get("commit"):
        return
    prefix = f'Pipeline "{pipeline["name"]}" node "{node["name"]}"'
    if node.get("task"):
        prefix = f'{prefix} task "{node["task"]}"'
        task = tasks.get(node["task"])
        if task is None:
            yield "error", f"{prefix} does not exist"
        elif task["step"] not in steps:
            yield "error", f'{prefix}: task\'s step "{task["step"]}" does not exist'
        else:
            yield from _override(node.get("override"), steps[task["step"]], prefix)
    elif node.get("step"):
        prefix = f'{prefix} step "{node["step"]}"'
        if node["step"] not in steps:
            yield "error", f"{prefix} does not exist"
        else:
            yield from _override(node.get("override"), steps[node["step"]], prefix)


def _action(action: Item) -> Iterator[tuple[str, str]]:
    whens, thens = {when.lower() for when in listed(action["when"])}, listed(action["then"])
    shown = "{" + ", ".join(repr(when) for when in sorted(whens)) + "}"
    for when in sorted(whens):
        if when not in _WHENS:
            yield "warning", f'"when" value {shown} is not well-known; the action might never be triggered'
    for then in thens:
        if then not in _THENS:
            yield "warning", f'"then" value {thens} is not well-known; the action might do nothing'


def _override(override: Item | None, step: Item, prefix: str) -> Iterator[tuple[str, str]]:
    if not override:
        return
    for key, word in (("inputs", "input"), ("parameters", "parameter")):
        known = {item["name"] for item in step.get(key, ())}
        for name in dict.fromkeys(item["name"] for item in override.get(key, ())):
            if name not in known:
                yield "error", f"{prefix}: {word} {name} does not exist in step"
    if override.get("runtime-config-preset") and not override.get("environment"):
        yield "error", f"{prefix}: {PRESET}"


def _edge(pipeline: Item, edge: Any, nodes: Mapping[str, Item]) -> Iterator[str]:
    ends = [socket.split(".", 2) for socket in _ends(edge)]
    between = f"(between {ends[0][0]} and {ends[1][0]})"
    for word, (node, _, _) in zip(("source", "target"), ends, strict=True):
        if node not in nodes:
            yield f"Pipeline {pipeline['name']} edge {word} node {node} does not exist"
    for word, (_, kind, _) in zip(("source", "target"), ends, strict=True):
        if kind not in _SOCKETS:
            yield f"Pipeline {pipeline['name']} {word} type {kind} {between} not valid"


def _parameter(
    pipeline: Item, parameter: Item, nodes: Mapping[str, Item], steps: Mapping[str, Item], path: Path
) -> Iterator[tuple[str, str]]:
    targets = [parameter["target"]] if "target" in parameter else listed(parameter.get("targets") or None)
    prefix = f'Pipeline "{pipeline["name"]}" parameter "{parameter["name"]}"'
    if not targets:
        yield "warning", f"{prefix}: no targets."
    for target in targets:
        parts = target.split(".", 2)
        if len(parts) != 3:
            raise Unlinted(f"not enough values to unpack (expected 3, got {len(parts)})", path)
        name, socket, wanted = parts
        if not socket.startswith("parameter"):
            yield "error", f'{prefix} target "{target}": socket type "{socket}" is not supported.'
        node = nodes.get(name)
        if node is None:
            yield "error", f'{prefix} target "{target}": the node "{name}" does not exist.'
        elif node["type"] == "execution" and not node.get("commit"):
            step = steps.get(node["step"])
            if step is None:
                raise Unlinted(repr(node["step"]), path)
            if wanted not in {item["name"] for item in step.get("parameters", ())}:
                text = f'the parameter "{wanted}" does not exist in step "{step["name"]}".'
                yield "error", f'{prefix} target "{target}": {text}'
