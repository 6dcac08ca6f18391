"""What `rung checkpoint` lists and copies out, on a study that really saved something."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import rung
from rung.api.checkpoints import by_rank, export, kept
from rung.api.handle import Handle
from rung.model import BadInput
from rung.plugins import open_store


def objective(params: dict[str, Any]) -> None:
    saved = rung.checkpoint_dir() / "model.json"
    for step in (1, 2, 3):
        weight = params["x"] - 1 / step
        saved.write_text(json.dumps({"x": params["x"], "step": step}))
        rung.report(loss=weight**2, step=step)


@pytest.fixture
def handle(tmp_path: Path) -> Handle:
    url = f"sqlite:///{tmp_path}/s.db"
    space = {"x": rung.choice(0.4, 0.9, 3.0)}
    rung.tune(objective, space, metric="loss", trials=3, store=url, dir=str(tmp_path), name="saving", search="grid")
    return Handle(open_store(url), "saving")


def test_the_best_and_the_latest_of_each_trial_are_kept(handle: Handle) -> None:
    found = list(kept(handle))
    assert {(one.trial, one.step, one.best, one.latest) for one in found} == {
        (0, 3.0, True, True),  # 0.4 is nearest to 1/3
        (1, 1.0, True, False), (1, 3.0, False, True),
        (2, 1.0, True, False), (2, 3.0, False, True),
    }  # fmt: skip
    assert all(Path(one.folder, "model.json").is_file() for one in found)
    assert [one.trial for one in kept(handle, [1])] == [1, 1]


def test_what_is_copied_out_reproduces_what_was_reported(handle: Handle, tmp_path: Path) -> None:
    folders = export(handle, tmp_path / "out", top=2).folders
    assert [folder.name for folder in folders] == [f"{number:05d}" for number in by_rank(handle.state)[:2]]
    for folder in folders:
        metrics, params = (json.loads((folder / name).read_text()) for name in ("metrics.json", "params.json"))
        model = json.loads((folder / "checkpoint" / "model.json").read_text())
        assert (model["x"], model["step"]) == (params["x"], metrics["step"])
        assert (model["x"] - 1 / model["step"]) ** 2 == pytest.approx(metrics["metrics"]["loss"])
        assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "metrics.json", "params.json"]


def test_nothing_is_overwritten(handle: Handle, tmp_path: Path) -> None:
    export(handle, tmp_path / "out", top=1)
    with pytest.raises(BadInput, match="is there already: name another folder with --to"):
        export(handle, tmp_path / "out", top=3)
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_checkpoint_that_is_gone_is_said_and_the_others_are_copied(handle: Handle, tmp_path: Path) -> None:
    first, second, third = by_rank(handle.state)
    shutil.rmtree(next(one.folder for one in kept(handle, [second]) if one.best))
    found = export(handle, tmp_path / "out", top=3)
    assert found.folders == [tmp_path / "out" / f"{number:05d}" for number in (first, third)]
    assert sorted((tmp_path / "out").iterdir()) == sorted(found.folders)
    [text] = found.lost
    assert text.startswith(f"the checkpoint of trial {second} cannot be copied: ")
    assert text.endswith(" is not there any more")


def test_a_study_without_any(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    rung.tune(lambda params: params["x"], {"x": rung.choice(1, 2)}, metric="loss", trials=2, store=url, name="plain")
    with pytest.raises(BadInput, match="has no checkpoint of a trial with a value: save to"):
        export(Handle(open_store(url), "plain"), tmp_path / "out", top=1)
