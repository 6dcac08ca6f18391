"""The shape of `valohai.yaml`, as facts: which keys there are, of which kind, and which must be there.

The subset of JSON schema that `checking` understands. The order of the keywords in `_record` is that in which findings
about one value are made.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_WHOLE: Schema = {"type": "integer"}
_YES_NO: Schema = {"type": "boolean"}
_ANY: Schema = {}
_TREE: Schema = {"type": "object"}


def _list(of: Schema) -> Schema:
    return {"items": of, "type": "array"}


def _either(*schemas: Schema) -> Schema:
    return {"oneOf": list(schemas)}


def _word(*words: str) -> Schema:
    return {"enum": list(words), "type": "string"}


def _record(
    required: str, /, *, rule: Schema | None = None, rule_after: Schema | None = None, **keys: Schema
) -> Schema:
    """A mapping with these keys only (`_` stands for `-`), of which `required` must be there."""
    found: Schema = {"additionalProperties": False, **(rule or {})}
    found["properties"] = {name.strip("_").replace("_", "-"): schema for name, schema in keys.items()}
    if required:
        found["required"] = required.split()
    return {**found, **(rule_after or {}), "type": "object"}


_TEXTS = _either(_TEXT, _list(_TEXT))
_DURATION = _either(_WHOLE, _TEXT)
_BOUNDS = _record("", min=_NUMBER, max=_NUMBER)
_WHOLE_BOUNDS = _record("", min=_WHOLE, max=_WHOLE)
_DEVICES: Schema = {"patternProperties": {"^.+$": {"minimum": 1, "type": "number"}}, "type": "object"}

_VARIABLE = _record("name", default=_TEXT, description=_TEXT, name=_TEXT, optional=_YES_NO)
_INPUT = _record(
    "name", default=_TEXTS, description=_TEXT, download=_word("always", "on-demand"), filename=_TEXT,
    keep_directories=_either(_YES_NO, _word("none", "full", "suffix")), name={"maxLength": 64, "type": "string"},
    optional=_YES_NO,
)  # fmt: skip
_OUTPUT = _record("name", description=_TEXT, name=_TEXT)
_MOUNT: Schema = {
    "anyOf": [
        {"pattern": "^/.+:/.+$", "type": "string"},
        _record(
            "source destination", destination={"pattern": "^/.+$", "type": "string"}, options=_TREE, readonly=_YES_NO,
            source=_TEXT, type=_TEXT,
        ),
    ]
}  # fmt: skip
_WIDGET = _either({"properties": {"settings": _TREE, "type": _TEXT}, "required": ["type"], "type": "object"}, _TEXT)
_PARAMETER = _record(
    "name", category=_TEXT, choices={"type": "array"}, default=_ANY, description=_TEXT, max=_NUMBER, min=_NUMBER,
    multiple=_word("none", "repeat", "separate"), multiple_separator=_TEXT, name=_TEXT, optional=_YES_NO, pass_as=_TEXT,
    pass_false_as=_TEXT, pass_true_as=_TEXT, type=_word("flag", "float", "integer", "string"), widget=_WIDGET,
)  # fmt: skip
_STEP = _record(
    "command name image", autorestart=_YES_NO, category=_TEXT, command=_TEXTS, description=_TEXT, environment=_TEXT,
    environment_variable_groups=_list(_TEXT), environment_variables=_list(_VARIABLE), icon=_TEXT, image=_TEXT,
    inputs=_list(_INPUT), mounts=_list(_MOUNT), cache_volumes=_list(_TEXT), name=_TEXT, no_output_timeout=_DURATION,
    outputs=_list(_OUTPUT), parameters=_list(_PARAMETER),
    resources=_record("", cpu=_BOUNDS, devices=_DEVICES, memory=_BOUNDS), runtime_config_preset=_TEXT,
    source_path=_TEXT, stop_condition=_TEXT, time_limit=_DURATION, upload_store={"maxLength": 64, "type": "string"},
)  # fmt: skip

_RULES = _record(
    "", base=_NUMBER, count=_NUMBER, distribution=_TEXT, end=_NUMBER, integerify=_YES_NO,
    items=_list({"type": ["number", "string", "boolean"]}), max=_NUMBER, min=_NUMBER, numberify=_YES_NO, seed=_NUMBER,
    start=_NUMBER, step=_NUMBER, value=_NUMBER,
)  # fmt: skip
_VARIANT = _record(
    "name rules style", name=_TEXT, rules=_RULES, style=_word("linear", "logspace", "multiple", "random", "single")
)
_TASK = _record(
    "name step", rule_after={"anyOf": [{"required": ["parameters"]}, {"required": ["parameter-sets"]}]},
    description=_TEXT, engine=_TEXT, execution_batch_size=_WHOLE, execution_count=_WHOLE,
    maximum_queued_executions=_WHOLE, name=_TEXT, on_child_error=_TEXT, optimization_target_metric=_TEXT,
    optimization_target_value=_NUMBER, parameter_sets=_list(_TREE), parameters=_list(_VARIANT), reuse_children=_YES_NO,
    step=_TEXT, stop_condition=_TEXT, type=_TEXT,
)  # fmt: skip

_ACTION = _record("when then", if_=_TEXTS, then=_TEXTS, when=_TEXTS)
_OVERRIDE = _record(
    "", autorestart=_YES_NO, command=_TEXTS, environment=_TEXT, environment_variables=_list(_VARIABLE), image=_TEXT,
    inputs=_list(_INPUT), mounts=_list(_MOUNT), parameters=_list(_PARAMETER), runtime_config_preset=_TEXT,
)  # fmt: skip
_ON_ERROR = _word("stop-all", "stop-next", "continue", "retry")
_NODE = {
    "actions": _list(_ACTION), "commit": _TEXT, "edge_merge_mode": _word("replace", "append"), "name": _TEXT,
    "on_error": _ON_ERROR, "override": _OVERRIDE, "step": _TEXT,
}  # fmt: skip
_EXECUTION_NODE = _record("name step type", **_NODE, type={"const": "execution", "type": "string"})
_TASK_NODE = _record(
    "name type",
    rule={"oneOf": [{"required": ["step"]}, {"required": ["task"]}], "not": {"required": ["step", "task"]}},
    **_NODE, type={"const": "task", "type": "string"}, task=_TEXT,
)  # fmt: skip
_DEPLOYMENT_NODE = _record(
    "name deployment type", actions=_list(_ACTION), aliases=_list(_TEXT), deployment=_TEXT, endpoints=_list(_TEXT),
    name=_TEXT, on_error=_word("stop-all", "stop-next", "continue"), type={"const": "deployment", "type": "string"},
)  # fmt: skip
_EDGE: Schema = {
    "anyOf": [
        {"prefixItems": [_TEXT, _TEXT], "items": False, "type": "array"},
        _record("source target", configuration=_TREE, source=_TEXT, target=_TEXT),
    ]
}
_PIPELINE = _record(
    "edges name nodes", edges=_list(_EDGE), name=_TEXT,
    nodes=_list({"anyOf": [_EXECUTION_NODE, _DEPLOYMENT_NODE, _TASK_NODE]}),
    parameters=_list(
        _record("", category=_TEXT, default=_ANY, description=_TEXT, name=_TEXT, target=_TEXT, targets=_TEXTS)
    ),
    reuse_executions=_YES_NO,
)  # fmt: skip

_TOLERATION = _record(
    "",
    rule={
        "oneOf": [{"required": ["key"]}, {"properties": {"key": {"not": {}}, "operator": {"const": "Exists"}}}]
    },
    effect=_word("PreferNoSchedule", "NoSchedule", "NoExecute"), key=_TEXT, operator=_word("Exists", "Equal"),
    value=_TEXT,
)  # fmt: skip
_ENDPOINT = _record(
    "name image", rule={"oneOf": [{"required": ["server-command"]}, {"required": ["wsgi"]}]}, description=_TEXT,
    files=_list(_record("name path", description=_TEXT, name=_TEXT, path=_TEXT)), image=_TEXT,
    name={"pattern": "^[a-z][a-z0-9-]+$", "type": "string"}, node_selector={"pattern": "=", "type": "string"},
    port={"maximum": 65535, "minimum": 1025, "type": "number"},
    resources=_record(
        "", cpu=_BOUNDS, devices=_DEVICES, ephemeral_storage=_WHOLE_BOUNDS, memory=_BOUNDS
    ),
    server_command=_TEXTS,
    shared_volumes=_list(
        _record("pvc-name mount-path", pvc_name=_TEXT, mount_path=_TEXT, sub_path=_TEXT, read_only=_YES_NO)
    ),
    tolerations=_list(_TOLERATION),
    workspace_volume=_record(
        "mount-path size", mount_path=_TEXT, size={"minimum": 1, "type": "integer"}, storage_class_name=_TEXT
    ),
    wsgi=_TEXT,
)  # fmt: skip

FILE: Schema = {
    "items": {
        "properties": {"endpoint": _ENDPOINT, "pipeline": _PIPELINE, "step": _STEP, "task": _TASK},
        "type": "object",
    },
    "type": "array",
}
