from __future__ import annotations

import subprocess
import sys

import pytest

import rung


@pytest.mark.parametrize("name", rung.__all__)
def test_each_public_name_is_there(name: str) -> None:
    found = getattr(rung, name)
    assert found is getattr(rung, name)
    assert found.__doc__


def test_the_list_is_sorted_and_is_what_dir_shows() -> None:
    assert sorted(rung.__all__) == dir(rung)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'rung' has no attribute 'tuna'"):
        _ = rung.tuna


@pytest.mark.parametrize(
    "code", ["import rung", "import rung; rung.report, rung.params, rung.trial", "import rung; dir(rung)"]
)
def test_the_door_is_light(code: str) -> None:
    heavy = "{'numpy', 'scipy', 'asyncio', 'rich', 'msgspec', 'yaml'}"
    program = f"{code}\nimport sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
