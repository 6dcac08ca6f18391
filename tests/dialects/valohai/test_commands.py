"""Values in commands: as the original builds them where that is harmless, and harmless everywhere."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.dialects.valohai.commands import build_command, interpreter, is_for_shell, join_commands
from rung.dialects.valohai.parameters import ParameterItem, read_parameter
from rung.model import BadInput

TEXT = ParameterItem(name="s")


def built(command: str | list[str], parameters: list[dict[str, Any]], **values: Any) -> list[str]:
    return build_command(command, [read_parameter(item) for item in parameters], values)


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ({"type": "integer", "multiple": "repeat"}, [1, 2], "c --m=1 --m=2"),
        ({"type": "integer", "multiple": "repeat", "pass-as": "-m {v}"}, [1, 2], "c -m 1 -m 2"),
        ({"type": "integer", "multiple": "separate"}, [1, 2], "c --m=1,2"),
        ({"multiple": "separate", "multiple-separator": " "}, ["a", "b"], "c '--m=a b'"),
        ({"multiple": "repeat"}, [], "c"),
        ({}, "", "c --m="),
        ({"type": "integer"}, 0, "c --m=0"),
        ({"pass-as": "-t {v} --n {name}"}, "it's", "c -t 'it'\"'\"'s' --n m"),
        ({"type": "flag", "pass-true-as": "--yes"}, True, "c --yes"),
        ({"type": "flag", "pass-false-as": "--{name}=no"}, False, "c --m=no"),
        ({"type": "flag", "pass-false-as": "--no"}, True, "c"),
        ({"type": "flag", "pass-as": "--x {v}", "pass-true-as": "--y"}, True, "c --y"),
        ({"type": "float", "default": 1e-05}, None, "c"),
        ({"type": "float", "pass-as": "--m={v:.3f}"}, 0.12345, "c --m=0.123"),
    ],
)
def test_how_values_are_passed(item: dict[str, Any], value: Any, expected: str) -> None:
    assert built("c {parameters}", [{"name": "m", **item}], m=value) == [expected]


def test_a_flags_default_counts_only_when_it_is_given() -> None:
    flag = [{"name": "f", "type": "flag", "default": True}]
    assert built("c {parameters}", flag) == ["c"]
    assert built("c {params}", flag, f=True) == ["c --f"]


def test_placeholders() -> None:
    items: list[dict[str, Any]] = [{"name": "a", "default": 1, "type": "integer"}, {"name": "b"}]
    assert built(" x {parameter:a}{parameter:b}{parameter:c} {parameter-value:b} ${HOME} {} ", items) == [
        "x --a=1{parameter:c} {parameter-value:b} ${HOME} {}"
    ]
    assert built(["{parameter-value:b}", "{source-path}"], items, b="") == ["''", "{source-path}"]
    assert build_command("{source-path} {parameter-value:s}", [TEXT], {"s": [1, 2]}, source_path="a b.py") == [
        "'a b.py' '[1, 2]'"
    ]


def test_a_list_for_a_single_value_and_an_unknown_placeholder_are_refused() -> None:
    with pytest.raises(BadInput, match=r"^m: list value \[1\] for non-multiple parameter 'm' not allowed$"):
        built("c {parameters}", [{"name": "m"}], m=[1])
    for bad in ("{x}", "{}", "{v.__class__}", "{v[0]}", "{v!q}", "{v:99999}", "{", "{name:d}"):
        with pytest.raises(BadInput, match=r"m\.pass-as: .*write \{name\}, \{value\} or \{v\}"):
            built("c {parameters}", [{"name": "m", "pass-as": f"--m={bad}"}], m=1.5)


def test_a_harmless_value_stands_as_the_original_puts_it() -> None:
    assert build_command("echo \"x {parameter-value:s}\" '{parameter-value:s}'", [TEXT], {"s": "a b"}) == [
        "echo \"x 'a b'\" ''a b''"
    ]


EVIL = [
    "a;$(touch PWNED)", "`touch PWNED`", "$HOME", '";touch PWNED;"', "';touch PWNED;'", "\\", "a\\'b", "x\n touch PWNED",
    "E\n$(touch PWNED)", "!x", "&& touch PWNED", "it's \"so\" $(touch PWNED)", "-n", "",
]  # fmt: skip
PLACES = [
    "printf %s {}", 'printf %s "{}"', "printf %s '{}'", 'printf %s "$(printf %s {})"', 'printf %s "$(printf %s "{}")"',
    "printf %s `printf %s {}`", "cat <<E\n{}\nE", "cat <<'E'\n{}\nE", "cat <<-\"E\"\n\t{}\n\tE\nprintf %s {}",
    "true # {} it's\nprintf %s {}", 'x={}; printf %s "$x"', "(printf %s '{}')", 'printf %s "\\"{}"',
    "case x in x) printf %s {};; esac", 'printf %s "$((1 + 2)) {}"', "printf %s \"${X:-'it'}{}\"", "cat <<< {}",
    "cat <<A <<B\n{}\nA\n{}\nB\nprintf %s {}", "printf %s a\\'{}", "printf %s \\\\{}", "printf %s $'a\\'b' {}",
    "printf %s $'{}'", "printf %s \"`printf %s {}`\"",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_value_is_never_run(place: str, tmp_path: Path) -> None:
    script = []
    for value in EVIL:
        try:
            script += build_command(place.replace("{}", "{parameter-value:s}"), [TEXT], {"s": value})
        except BadInput:  # nothing keeps the shell from looking into it there
            continue
    assert script
    for shell in ("sh", "bash") if "<<<" not in place and "$'" not in place else ("bash",):
        for text in script:
            subprocess.run([shell, "-c", text], cwd=tmp_path, capture_output=True, timeout=20)
    assert list(tmp_path.iterdir()) == []


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
@settings(max_examples=25)
def test_the_program_gets_the_value_itself(value: str) -> None:
    text = build_command('printf %s {parameter-value:s} "{parameter-value:s}x"', [TEXT], {"s": value})[0]
    done = subprocess.run(["bash", "-c", text], capture_output=True, timeout=20)
    assert done.returncode == 0
    assert done.stdout.decode().startswith(value)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["a", " ", "b"], "a && b"),
        (["a || b", "c"], "{ a || b\n} && c"),
        (["#!/bin/bash", "a", "b"], "#!/bin/bash\na && b"),
        (["#!/usr/bin/env python3\nimport os", "print(os)"], "#!/usr/bin/env python3\nimport os\nprint(os)"),
        (["# only a word", "b"], "b"),
        (["a; b"], "a; b"),
        ([], ""),
    ],
)
def test_commands_are_joined(commands: list[str], expected: str) -> None:
    assert join_commands(commands) == expected


@pytest.mark.parametrize("failing", ["false", "true; false", "true && false", "true | false", "! true"])
def test_the_first_command_that_fails_is_the_last(failing: str) -> None:
    script = join_commands(["echo one", failing, "echo two # it's three", "echo four"])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20)
    assert (done.stdout, done.returncode != 0) == ("one\n", True)
    good = join_commands(["cd /", "x=5 # it's", "cat <<E\n$x\nE", "if true; then pwd; fi"])
    assert subprocess.run(["sh", "-c", good], capture_output=True, text=True, timeout=20).stdout == "5\n/\n"


def test_the_first_line_names_the_interpreter() -> None:
    assert interpreter("#! /usr/bin/env -S python3 -u\nx") == ["/usr/bin/env", "-S python3 -u"]
    assert interpreter("echo") == []
    assert is_for_shell("#!/usr/bin/env bash\n") and is_for_shell("#!/bin/sh -e\n") and is_for_shell("echo")
    assert not is_for_shell("#!/usr/bin/python3\n")
    script = "#!/usr/bin/python3\nprint({parameter-value:s})"
    assert build_command(script, [TEXT], {"s": "a;$(b)"}) == ["#!/usr/bin/python3\nprint('a;$(b)')"]
    with pytest.raises(BadInput, match=r"let the program read VH_CONFIG_DIR/parameters\.json"):
        build_command(script, [TEXT], {"s": "it's"})
