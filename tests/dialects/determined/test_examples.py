"""Every example file reads to a spec that the planner explains, or gives the error that Determined gives."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dialects.determined.material import EXAMPLES, NO_EXAMPLES
from rung.cli.main import main

FILES = sorted(path for path in EXAMPLES.glob("*.yaml") if not path.name.startswith("schema_test_cases"))
REFUSED = {
    "custom_search": "a custom searcher is a program of your own",
    "custom_searcher": "a custom searcher is a program of your own",
    "deepspeed_autotune": "a custom searcher is a program of your own",
    "model_hub": "Missing 'searcher' config section in experiment config.",
}


@pytest.mark.skipif(not FILES, reason=NO_EXAMPLES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_planned(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["plan", str(path), "--json"])
    out, err = capsys.readouterr()
    refusal = next((text for part, text in REFUSED.items() if f"__{part}" in path.name), None)
    if refusal is not None:
        assert status == 2
        assert refusal in err
        assert f"{path}:" in err
        return
    assert status == 0, err
    plan = json.loads(out)
    assert plan["trials"] >= 1
    assert plan["first"][0]["command"]
    assert re.match(r"\d+ trials? (to \d+|trains? (for \d+|to completion))", err)


def test_without_a_program_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("searcher: {name: single, metric: loss}\n")
    assert main(["run", "config.yaml"]) == 2
    assert "entrypoint: the configuration names no program" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
    assert main(["plan", "config.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["first"] == [{"params": {}, "command": []}]


def test_overrides_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    space = "hyperparameters: {opt: {lr: {type: double, minval: 0, maxval: 1}, n: 3}}\n"
    Path("config.yaml").write_text(
        f"searcher: {{name: random, metric: loss, max_trials: 4}}\n{space}entrypoint: python3 t.py\n"
    )
    words = ["plan", "config.yaml", "--json", "--config", "searcher.max_trials=2", "--opt.lr", "uniform(0.2, 0.3)"]
    assert main(words) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["trials"] == 2
    assert {one["name"]: (one["min"], one["max"]) for one in plan["parameters"]}["opt.lr"] == (0.2, 0.3)
