"""The report: one file with everything that the page asks for, and nothing that can break out of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rung
from rung.analysis.records import record
from rung.analysis.views import plain, show, views
from rung.api import reporting
from rung.api.handle import Handle
from rung.cli.main import main
from rung.model import BadInput

HOSTILE = "</script><!--<img src=x onerror=alert(1)>"
SCRIPT = "const end = '</script>', open = '<!--';\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A page that stands in for the built one."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "report.js").write_text(SCRIPT)
    (folder / "report.css").write_text("body{color:red}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporting, "BUILT", folder)
        yield folder


@pytest.fixture(scope="module")
def handle() -> Handle:
    """A study of 12 trials, the second of which has no number."""
    return study()


@pytest.fixture(scope="module")
def text(built: Path, handle: Handle) -> str:
    """Its report."""
    return reporting.report_html(handle)


def study(trials: int = 12) -> Handle:
    space = {"lr": rung.loguniform(1e-5, 0.1), "note": rung.choice(HOSTILE, "b"), "depth": {"type": "int", "min": 1, "max": 4, "when": "note == 'b'"}}  # fmt: skip
    made = rung.Study(space, metric="loss", search="random", seed=0, budget={"trials": trials})
    for number in range(trials):
        trial = made.ask()
        for epoch in (1, 2):
            trial.report(step=epoch, loss=trial.params["lr"] / epoch)
        made.tell(trial, {"loss": float("nan") if number == 1 else trial.params["lr"]})
    return made._handle


def data_of(text: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="rung-report">(.*?)</script>', text, re.DOTALL)
    assert len(found) == 1
    return dict(json.loads(found[0]))


def test_its_script_runs_and_no_other(text: str) -> None:
    assert text.count("</script>") == 2 and "<!--" not in text
    script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    assert script is not None and script[1] == SCRIPT.replace("</", "<\\/").replace("<!--", "<\\!--")
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in policy[1]
    assert "connect-src" not in policy[1] and "http" not in policy[1]


def test_it_holds_what_the_page_asks_for(text: str, handle: Handle) -> None:
    data = data_of(text)
    base = f"/api/studies/{handle.name}"
    assert data["answers"][base]["trials"] == 12
    assert data["answers"]["/api/studies"][0]["name"] == handle.name
    assert data["answers"]["/api/me"]["role"] == "read"
    best = handle.best(top=1)[0].number
    assert data["answers"][f"{base}/trials/{best}"]["record"]["number"] == best
    assert data["answers"][f"{base}/trials/{best}/curve"]["metrics"][0]["name"] == "loss"
    for name in views():
        found = data["views"][name]
        if found["refused"].get(""):
            with pytest.raises(BadInput, match=re.escape(found["refused"][""])):
                show(handle, name)
        elif name not in {"progress", "timeline"}:  # these know what time it is
            assert found["records"][""] == plain(show(handle, name))
    assert data["views"]["history"]["records"]["over=time"] == plain(show(handle, "history", over="time"))
    assert data["views"]["history"]["defaults"]["over"] == "trial"


def test_its_rows_are_the_trials(text: str, handle: Handle) -> None:
    table = data_of(text)["trials"]
    for at, trial in enumerate(handle.state.trials()):
        expected = json.loads(json.dumps(record(handle.state, trial)))
        for group, found in (("params", table["params"]), ("values", table["values"])):
            for name, column in found.items():
                whole = column if isinstance(column, list) else dict(zip(column["at"], column["values"], strict=True))
                has = isinstance(column, list) or at in whole
                assert has == (name in expected[group])
                if has:
                    assert whole[at] == expected[group][name]
        assert {name: column[at] for name, column in table["columns"].items()} == {
            name: value for name, value in expected.items() if name not in {"params", "values"}
        }
    assert table["losses"][1] is None


def test_of_many_rows_the_best_are_kept(handle: Handle) -> None:
    table = reporting.trials_table(handle.state, most=5)
    best = sorted(trial.number for trial in handle.best(top=5))
    assert (table["columns"]["number"], table["of"]) == (best, 12)


def test_the_file_is_whole_or_not_there(tmp_path: Path, handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")
    monkeypatch.setattr(reporting, "BUILT", tmp_path / "nowhere")
    with pytest.raises(BadInput, match="`make web`"):
        reporting.write_report(handle, target)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_export_writes_it(
    built: Path, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # of a study that has no trial yet
    rung.Study({"x": rung.uniform(0, 1)}, seed=0, store="sqlite:///runs/rung.db", name="small")
    assert main(["export", "small", "-o", "report.html"]) == 0
    assert "without a server or a network" in capsys.readouterr().err
    data = data_of((here / "report.html").read_text())
    assert (data["study"], data["trials"]["columns"]["number"]) == ("small", [])
    assert main(["export", "small", "--format", "html"]) == 0
    assert data_of(capsys.readouterr().out)["study"] == "small"
    monkeypatch.setattr(reporting, "BUILT", here / "nowhere")
    assert main(["export", "small", "--format", "html"]) == 2
    assert "the page is not in this installation" in capsys.readouterr().err
