"""A study as a notebook shows it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import rung

HOSTILE = "<img src onerror alert(1)>&\"'"


def made(**more: object) -> rung.Study:
    space = {"lr": rung.loguniform(1e-5, 0.1), HOSTILE: rung.choice(HOSTILE, "b")}
    return rung.Study(space, metric=HOSTILE, search="random", seed=0, budget={"trials": 9}, **more)  # type: ignore[arg-type]


def test_it_shows_state_best_and_the_best_trials() -> None:
    study = made()
    for number in range(9):
        trial = study.ask()
        study.tell(trial, abs(number - 5) / 10)
    text = study._repr_html_()
    tree = ET.fromstring(text.replace("&middot;", "-"))  # well-formed, so nothing broke out of its place
    words = " ".join(tree.itertext())
    assert "complete" in words and "9 of 9 trials" in words and "(trial 5)" in words
    rows = tree.findall(".//tr")
    assert [row[0].text for row in rows] == ["trial", "5", "4", "6", "3", "7"]
    assert len(tree.findall(".//path")) == 1
    assert not re.search(r"<(script|img|a|link|iframe)\b|https?:|\son\w+=\"", text)
    assert HOSTILE in words


def test_an_empty_study_and_several_objectives_are_shown_too(tmp_path: Path) -> None:
    assert "no trials yet" in made()._repr_html_()
    study = rung.Study({"x": rung.uniform(0, 1)}, metric=["a", "b"], search="random", seed=0, store=f"sqlite:///{tmp_path}/s.db", name="two")  # fmt: skip
    for _ in range(4):
        trial = study.ask()
        study.tell(trial, {"a": trial.params["x"], "b": 1 - trial.params["x"]})
    loaded = rung.load("two", store=f"sqlite:///{tmp_path}/s.db")
    assert loaded._repr_html_() == study._repr_html_()
    assert "<table" in loaded._repr_html_()
    study.tell(study.ask(), {"a": float("nan"), "b": float("inf")})
    assert "<table" in study._repr_html_()
