"""Whatever is in a study file, its reader gives a spec or one line of complaint."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rung.dialects import RungDialect, to_yaml
from rung.model import BadInput

TEXT = """\
name: digits
command: python train.py --lr {lr} {rest}
parameters:
  lr:       {type: float, min: 1e-5, max: 0.1, scale: log}
  width:    {type: int, min: 8, max: 128, step: 8}
  opt:      {type: choice, values: [sgd, adam]}
  net:      {heads: {type: int, min: 1, max: 4, when: opt == 'sgd'}}
constraints: [width * net.heads <= 256]
objective: {metric: val_loss, goal: {approach: 0.5}}
outcomes:  [{metric: latency_ms, at_most: 20}]
search:    {method: auto, seed: 0}
budget:    {trials: 100, time: 2h}
run:       {workers: 4, timeout: 30m}
start:     [{lr: 0.01, net: {heads: 2}}]
"""
_INSERTS = ["\n", " ", ":", "{", "}", "[", "]", "'", '"', "*a", "&a ", "!!x ", "-", "~", "1e999", ".nan", "-1", "0", "true", "\0", "é", "<<: ", ", ", "..", "9" * 400, "9" * 5000]  # fmt: skip


def complaint_about(text: str) -> str:
    try:
        spec = RungDialect().read(text, file="s.yaml")
    except BadInput as error:
        return str(error)
    assert RungDialect().read(to_yaml(spec), file="s.yaml").command == spec.command
    return ""


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), st.sampled_from(_INSERTS) | st.text(max_size=5)),
        min_size=1,
        max_size=3,
    )
)
def test_a_mutated_study(cuts: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, length, insert in cuts:
        text = text[:at] + insert + text[at + length :]
    complaint = complaint_about(text)
    assert "\n" not in complaint
    assert complaint == "" or complaint.startswith("s.yaml")


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["float", "int", "a", "lr"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["type", "min", "max", "values", "value", "metric", "goal", "method", "trials", "time", "lr"]), below, max_size=4),
    max_leaves=8,
)  # fmt: skip
_SECTIONS = st.sampled_from(["name", "command", "function", "parameters", "constraints", "objective", "outcomes", "start", "search", "schedule", "budget", "run"])  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(_SECTIONS, _TREES, max_size=4))
def test_any_tree(tree: dict[str, object]) -> None:
    from rung.dialects import spec_from_tree

    try:
        spec_from_tree(tree, place="here")
    except BadInput as error:
        message = str(error)
    else:
        message = "here"
    assert message.startswith("here")
    assert "\n" not in message
