from __future__ import annotations

from pathlib import Path

import pytest

from rung.api.places import Places, find_places, user_file
from rung.model import BadInput


def user(text: str) -> None:
    user_file().parent.mkdir(parents=True)
    user_file().write_text(text)


def test_the_defaults(here: Path) -> None:
    assert find_places() == Places("sqlite:///runs/rung.db", here / "runs")


def test_a_directory_moves_the_store_too(here: Path) -> None:
    assert find_places(directory="out/") == Places("sqlite:///out/rung.db", here / "out")
    assert find_places(directory="/abs") == Places("sqlite:////abs/rung.db", Path("/abs"))
    assert find_places(directory="out", store="memory://") == Places("memory://", here / "out")


def test_flag_over_environment_over_user_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user("store: sqlite:///user.db\ndir: user\n")
    assert find_places() == Places("sqlite:///user.db", here / "user")
    monkeypatch.setenv("RUNG_DIR", "env")
    assert find_places() == Places("sqlite:///user.db", here / "env")
    monkeypatch.setenv("RUNG_STORE", "sqlite:///env.db")
    assert find_places() == Places("sqlite:///env.db", here / "env")
    assert find_places(directory="flag") == Places("sqlite:///env.db", here / "flag")
    assert find_places(store="sqlite:///flag.db", directory="flag") == Places("sqlite:///flag.db", here / "flag")


def test_empty_settings_are_no_settings(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user("")
    monkeypatch.setenv("RUNG_DIR", "")
    monkeypatch.setenv("RUNG_STORE", "")
    assert find_places() == Places("sqlite:///runs/rung.db", here / "runs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stor: x\n", ":1: stor: unknown key; did you mean `store`?"),
        ("dir: x\nstore: 3\n", ":2: store: expected text, got 3"),
        ("- x\n", "expected a mapping with `store` and `dir`"),
    ],
)
def test_a_wrong_user_file(text: str, message: str) -> None:
    user(text)
    with pytest.raises(BadInput) as raised:
        find_places()
    assert str(raised.value).startswith(str(user_file()))
    assert message in str(raised.value)
