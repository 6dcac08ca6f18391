"""The cases of Determined's own schema tests that are about the search, hyperparameters, lengths and checkpoints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dialects.determined.material import EXAMPLES, NO_EXAMPLES
from rung.dialects.determined import configuration as conf
from rung.dialects.determined.hyperparameters import leaf, parameters
from rung.dialects.determined.lengths import read_length
from rung.dialects.determined.searchers import era_of, read_searcher
from rung.dialects.determined.study import grid_errors, read_study
from rung.dialects.documents import parse
from rung.dialects.positions import Positions
from rung.dialects.values import Value
from rung.model import BadInput

FILES = sorted(EXAMPLES.glob("schema_test_cases__*.yaml"))
ELSEWHERE = {
    "bind-mount": "mounts have no effect here",
    "environment": "of the environment only its variables have an effect here",
    "resources": "of the resources only slots_per_trial has an effect here",
}
WITHOUT_MEANING = ("environment", "log_policies", "name")
"""Keys whose defaults are images and texts of a cluster."""


class Skip(Exception):
    """Not checked here; the text says why."""


# ------------------------------------------------------------------------------------------- what a case is read as


def hyperparameter(value: Value) -> None:
    parameters(list(leaf(value, ("x",))), grid=False)


def searcher(value: Value) -> None:
    if value.value["name"] == "custom":
        raise Skip("a custom searcher is refused here")
    kept = {key: item for key, item in value.value.items() if not key.startswith("source_")}
    if len({tuple(kept[key]) for key in ("max_length", "budget") if isinstance(kept.get(key), dict)}) > 1:
        raise Skip("a budget in another unit than the length: the versions that ran this searcher refused it")
    if kept["name"] in {"adaptive_asha", "async_halving"} and not {"max_length", "max_time"} & kept.keys():
        with pytest.raises(BadInput, match="searcher requires `max_time` and `time_metric` to be set"):
            read_searcher(Value(kept, (), value.positions), era_of(kept))
        return
    read_searcher(Value(kept, (), value.positions), era_of(kept))


def experiment(value: Value) -> None:
    read_study(value)


READERS: dict[str, Callable[[Value], Any]] = {
    "length": lambda value: read_length(value, least=0, bare=False),
    "check-positive-length": lambda value: read_length(value, bare=False),
    "experiment": experiment,
    "profiling": conf.check_profiling,
    "checkpoint-storage": lambda value: conf.checkpoints({"checkpoint_storage": value}),
    "shared-fs": lambda value: conf.checkpoints({"checkpoint_storage": value}),
}


def reader_of(url: str) -> Callable[[Value], Any]:
    name = url.rsplit("/", 1)[-1].removesuffix(".json")
    if name.startswith("hyperparameter"):
        return hyperparameter
    if name.startswith("searcher"):
        return searcher
    if name not in READERS:
        raise Skip(ELSEWHERE.get(name, f"{name} has no effect here"))
    return READERS[name]


def complaints(read: Callable[[Value], Any], case: Any) -> Iterator[str]:
    """What is wrong with it, in their words for a place."""
    value = Value(case, (), Positions("case"))
    try:
        read(value)
    except BadInput as error:
        yield _theirs(error)
        if read is experiment and "grid search is in use" in error.message:
            yield from map(_theirs, grid_errors(value.items()))


def _theirs(error: BadInput) -> str:
    return f"<config>{'.' + error.key if error.key else ''}: {error.message}"


# ------------------------------------------------------------------------------------------------------- the checks


def check(kind: str, url: str, case: dict[str, Any]) -> None:
    if kind == "default_as":
        check_defaults(url, case)
        return
    found = list(complaints(reader_of(url), case.get("case")))
    if kind == "sane_as":
        assert found == []
        return
    for pattern in case[kind][url]:
        assert any(re.search(pattern, text) for text in found), (pattern, found)


def check_defaults(url: str, case: dict[str, Any]) -> None:
    name = url.rsplit("/", 1)[-1].removesuffix(".json")
    given, wanted = case["case"], case["defaulted"]
    if name == "searcher":
        got = conf.defaulted({"searcher": given}, era_of(given))["searcher"]
    elif name == "experiment":
        got = conf.defaulted(given, era_of(given["searcher"]))
        wanted = {key: item for key, item in wanted.items() if key not in WITHOUT_MEANING}
        got |= {"reproducibility": {"experiment_seed": "*"}}  # it is drawn when the study is created
    else:
        raise Skip(ELSEWHERE.get(name, f"{name} has no effect here"))
    differing = {key: (got.get(key), item) for key, item in wanted.items() if got.get(key) != item and item != "*"}
    assert differing == {}


def cases() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path in FILES:
        for case in parse(path.read_text(), file=path.name)[0]:
            for kind in ("sane_as", "sanity_errors", "completeness_errors", "default_as"):
                urls = case.get(kind, [])
                for url in [urls] if isinstance(urls, str) else urls:
                    yield f"{path.stem[19:]}: {case['name']}: {kind} {url.rsplit('/', 1)[-1]}", kind, url, case


CASES = list(cases())


@pytest.mark.skipif(not CASES, reason=NO_EXAMPLES)
@pytest.mark.parametrize(("kind", "url", "case"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_a_case(kind: str, url: str, case: dict[str, Any]) -> None:
    try:
        check(kind, url, case)
    except Skip as why:
        pytest.skip(str(why))


@pytest.mark.skipif(not CASES, reason=NO_EXAMPLES)
def test_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    found: Counter[str] = Counter()
    for _, kind, url, case in CASES:
        try:
            check(kind, url, case)
            found["passed"] += 1
        except Skip as why:
            found[f"skipped: {why}"] += 1
    with capsys.disabled():
        print("\nDetermined, schema cases: " + "; ".join(f"{n} {what}" for what, n in sorted(found.items())))
    assert found["passed"] > 0
