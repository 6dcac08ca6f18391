from __future__ import annotations

import subprocess
import sys

import pytest

import rung.dialects
from rung.dialects.names import check_study_name, did_you_mean, nearest, shown
from rung.dialects.positions import dotted, undotted
from rung.model import BadInput


@pytest.mark.parametrize("name", ["digits", "digits-1", "a", "1a", "A.b_c-2", "x" * 100])
def test_names_for_studies(name: str) -> None:
    assert check_study_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a b", "-x", ".x", "a..b", "12", "0", "x" * 101, "é", "a\n", "a\0", "٣", "~"]
)
def test_names_that_no_study_has(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_study_name(name, place="--name")
    assert str(caught.value).startswith("--name: ")
    assert "\n" not in str(caught.value)


def test_the_reasons_are_told_apart() -> None:
    lines = []
    for name in ("x" * 300, "../x", "42"):
        with pytest.raises(BadInput) as caught:
            check_study_name(name)
        lines.append(str(caught.value))
    assert lines == [
        "a study's name has at most 100 characters, this one has 300",
        '"../x" cannot name a study; use letters, digits, `-`, `_` and single dots, beginning with a letter or digit',
        '"42" cannot name a study: a bare number is a trial; add a letter',
    ]


def test_the_nearest_name() -> None:
    assert nearest("paramters", ["parameters", "objective"]) == "parameters"
    assert nearest("MIN", ["max", "min"]) == "min"
    assert nearest("max", ["max_failures", "trials"]) == "max_failures"
    assert nearest("zzz", ["max", "min"]) is None
    assert did_you_mean("zzz", ["max", "min"]) == "; known: `max`, `min`"
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("zzz", [f"p{n:03}" for n in range(40)]).endswith("`p015`, ...")


def test_values_are_shown_on_one_short_line() -> None:
    assert shown("a\nb\u2028") == '"a\\nb\\u2028"'
    assert shown(None) == "nothing"
    assert len(shown(list(range(1000)))) == 60


@pytest.mark.parametrize(
    "parts", [["budget", "trials"], ["objective", 1, "metric"], ["a", 0, 2], ["x"], ["a[b]", "c"], ["a[1]b"]]
)
def test_dotted_paths_read_back(parts: list[str | int]) -> None:
    assert undotted(dotted(parts)) == parts


def test_every_export_loads_and_there_are_few() -> None:
    assert len(rung.dialects.__all__) <= 10
    assert all(getattr(rung.dialects, name).__name__ == name for name in rung.dialects.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rung.dialects.nothing


def test_checking_a_name_loads_nothing_heavy() -> None:
    program = (
        "import sys; from rung.dialects import check_study_name, parse_duration;"
        "sys.exit(bool({'numpy', 'scipy', 'yaml', 'asyncio', 'rich'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
