"""One trial over REST: what is known of it, its curves, its log in windows, its checkpoints as downloads."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from rung.api.handle import Handle
from rung.cli.main import main
from rung.server.site import Site

pytestmark = pytest.mark.xdist_group("server trials")  # its tests share a study, in their order
TRIALS = "/api/studies/score-1/trials"

SAVING = """
import json, os, sys
import rung
p = rung.params(x=1.0)
if rung.trial.attempt == 1 and p["x"] > 2.5:
    sys.stderr.buffer.write(b"\\x1b[31mno memory\\x1b[0m \\xff\\xfe\\n")
    sys.exit(3)
for epoch in range(1, 4):
    folder = rung.checkpoint_dir()
    (folder / "weights.bin").write_bytes(bytes(1000 * epoch))
    if p["x"] > 1.5:
        (folder / "inner").mkdir(exist_ok=True)
        (folder / "inner" / "state.json").write_text("{}")
        if not (folder / "way out").is_symlink():
            (folder / "way out").symlink_to("/etc/passwd")
    rung.report(epoch=epoch, loss=p["x"] + 1 / epoch, cost=float(epoch))
print("x is", p["x"])
"""


@pytest.fixture(scope="module")
def saved(site: Site, project: Path) -> str:
    """A study whose trials save checkpoints; trial 2 failed once. The name of it."""
    (project / "save.py").write_text(SAVING)
    words = ["run", "--name", "saved", "-p", "x=1.0,2.0,3.0", "-m", "loss", "--search", "grid", "--retries", "1"]
    assert main([*words, "-w", "2", "--", sys.executable, "save.py", "{rest}"]) == 0
    return "saved"


def detail(client: TestClient[Litestar], address: str) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_trial_has_its_record_and_its_parameters_beside_the_best(client: TestClient[Litestar], site: Site) -> None:
    found = detail(client, f"{TRIALS}/3")
    with site.study("score-1").read() as handle:
        best = handle.best(top=1)[0]
        trial = handle.trial(3)
    assert found["record"]["params"] == trial.params
    assert found["record"]["value"] == trial.value
    assert (found["best"], found["best_value"]) == (best.number, best.value)
    width = next(p for p in found["parameters"] if p["name"] == "width")
    assert (width["value"], width["best"]) == (trial.params["width"], best.params["width"])
    assert width["same"] == (trial.params["width"] == best.params["width"])
    assert width["place"] == pytest.approx((trial.params["width"] - 8 + 0.5) / 57, abs=1e-6)
    assert (width["low"], width["high"]) == (8, 64)
    assert next(p for p in found["parameters"] if p["name"] == "opt")["choices"] == ["sgd", "adam"]


def test_ahead_counts_the_better_trials(client: TestClient[Litestar], site: Site) -> None:
    with site.study("score-1").read() as handle:
        values = [t.value for t in handle.state.trials() if t.state == "complete" and t.value is not None]
        mine = handle.trial(3).value
    assert mine is not None
    assert detail(client, f"{TRIALS}/3")["ahead"] == sum(value < mine for value in values)


def test_metrics_are_summed_up_over_the_reports(client: TestClient[Litestar], site: Site) -> None:
    found = {metric["name"]: metric for metric in detail(client, f"{TRIALS}/3")["metrics"]}
    loss = found["loss"]
    with site.study("score-1").read() as handle:
        reports = handle.reports(3)
    values = [float(report.values["loss"]) for report in reports if "loss" in report.values]
    assert loss["goal"] == "minimize"
    assert (loss["reports"], loss["last"], loss["best"], loss["high"]) == (
        len(values), values[-1], min(values), max(values),
    )  # fmt: skip
    assert found["size"]["goal"] is None


def test_decisions_are_those_of_why(client: TestClient[Litestar], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "score-1", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert client.get(f"{TRIALS}/3/decisions").json() == said
    assert detail(client, f"{TRIALS}/3")["decisions"] == said
    assert [deed["event"] for deed in said] == ["proposed", "assigned", "reported", "exited", "completed"]
    assert said[0]["data"]["params"] == detail(client, f"{TRIALS}/3")["record"]["params"]


def test_a_trial_that_there_is_not_is_not_found(client: TestClient[Litestar]) -> None:
    for address in (f"{TRIALS}/99", f"{TRIALS}/99/curve", f"{TRIALS}/99/log", f"{TRIALS}/99/checkpoints"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert answer.json()["detail"] == "study score-1 has no trial 99 (it has 0 to 8)"
    assert client.get("/api/studies/none/trials/0").status_code == 404


def test_curves_hold_every_metric_of_the_last_attempt(client: TestClient[Litestar], saved: str) -> None:
    found = detail(client, f"/api/studies/{saved}/trials/1/curve")
    assert [metric["name"] for metric in found["metrics"]] == ["loss", "cost"]
    loss = found["metrics"][0]
    assert (loss["steps"], loss["values"]) == ([1, 2, 3], [3.0, 2.5, 2 + 1 / 3])
    assert loss["seconds"] == sorted(loss["seconds"])
    assert (found["shown"], found["of"]) == (6, 6)
    assert client.get(f"/api/studies/{saved}/trials/1/curve?marks=1").status_code == 400


def test_attempts_say_how_each_ended_and_what_was_used(client: TestClient[Litestar], saved: str) -> None:
    found = detail(client, f"/api/studies/{saved}/trials/2")
    first, second = found["attempts"]
    assert (first["how"], first["code"], second["how"], second["code"]) == ("exited", 3, "exited", 0)
    assert "no memory" in first["tail"]
    assert (second["first"], second["last"], second["reports"]) == (0, 3, 3)
    assert first["pid"] > 0 and first["host"] and first["ended"] > first["started"]
    assert found["usage"]["reported_cost"] == 3
    assert found["usage"]["seconds"] == pytest.approx(first["seconds"] + second["seconds"])
    assert found["usage"]["now"] is None
    assert found["folder"].endswith("/saved/00002/2")
    assert found["lineage"]["by"] == "grid" and found["lineage"]["ancestors"] == []


def test_a_log_is_read_in_windows(client: TestClient[Litestar], saved: str) -> None:
    address = f"/api/studies/{saved}/trials/2/log"
    out = detail(client, address)
    assert (out["text"], out["attempt"], out["attempts"], out["ended"]) == ("x is 3.0\n", 2, 2, True)
    err = detail(client, f"{address}?attempt=1&stream=stderr")
    assert err["text"] == "\x1b[31mno memory\x1b[0m \ufffd\ufffd\n"
    assert err["next"] == err["size"] == len(b"\x1b[31mno memory\x1b[0m \xff\xfe\n")
    assert detail(client, f"{address}?offset=5&limit=4")["text"] == "3.0\n"
    found = detail(client, f"{address}?search=IS 3")
    assert found["matches"] == [{"offset": 2, "text": "x is 3.0"}]
    assert client.get(f"{address}?attempt=3").status_code == 400
    assert "not 3" in client.get(f"{address}?attempt=3").json()["detail"]
    for bad in ("offset=x", "limit=0", "limit=2000000", "stream=stdin", f"search={'x' * 201}"):
        assert client.get(f"{address}?{bad}").status_code == 400, bad


def test_a_log_is_saved_whole(client: TestClient[Litestar], saved: str, capfdbinary: Any) -> None:
    address = f"/api/studies/{saved}/trials/2/output"
    answer = client.get(f"{address}?attempt=1&stream=stderr")
    assert main(["logs", saved, "2", "--attempt", "1", "--err"]) == 0
    assert answer.content == capfdbinary.readouterr().out == b"\x1b[31mno memory\x1b[0m \xff\xfe\n"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="saved-trial-2-stderr.log"'
    assert client.get(f"{TRIALS}/0/output").status_code == 404
    assert "there is no stdout" in client.get(f"{TRIALS}/0/output").json()["detail"]
    assert client.get(f"{address}?attempt=3").status_code == 400


def test_a_checkpoint_of_one_file_is_that_file(client: TestClient[Litestar], saved: str) -> None:
    kept = [one for one in detail(client, f"/api/studies/{saved}/trials/0")["checkpoints"] if one["kept"]]
    assert [one["step"] for one in kept] == [3]
    assert kept[0]["best"] and kept[0]["latest"]
    answer = client.get(f"/api/artifacts/{kept[0]['artifact']}")
    assert answer.status_code == 200
    assert answer.content == bytes(3000)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="saved-trial-0-{kept[0]["name"]}-weights.bin"'
    )
    assert answer.headers["content-length"] == "3000"


def test_a_checkpoint_folder_is_an_archive_without_its_links(client: TestClient[Litestar], saved: str) -> None:
    kept = [one for one in client.get(f"/api/studies/{saved}/trials/1/checkpoints").json() if one["artifact"]]
    answer = client.get(f"/api/artifacts/{kept[-1]['artifact']}")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        inside = {member.name.partition("/")[2]: member for member in archive.getmembers()}
        assert sorted(inside) == ["inner", "inner/state.json", "weights.bin"]
        weights = archive.extractfile(inside["weights.bin"])
        assert weights is not None and weights.read() == bytes(3000)


def test_no_id_but_ours_names_an_artifact(client: TestClient[Litestar], saved: str) -> None:
    kept = next(one for one in client.get(f"/api/studies/{saved}/trials/0/checkpoints").json() if one["artifact"])
    good = kept["artifact"]
    changed = ("A" if good[0] != "A" else "B") + good[1:]
    other = good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:]
    for identity in (changed, other, good[:-4], "x", "..", "%2e%2e%2fetc%2fpasswd", "e30", "\u00fc"):
        answer = client.get(f"/api/artifacts/{identity}")
        assert answer.status_code in {400, 404}, identity
        assert "octet-stream" not in answer.headers["content-type"]


def test_a_checkpoint_that_became_a_link_is_not_followed(client: TestClient[Litestar], saved: str, site: Site) -> None:
    kept = next(one for one in client.get(f"/api/studies/{saved}/trials/2/checkpoints").json() if one["artifact"])
    with site.study(saved).read() as handle:
        folder = _folder(handle, 2, kept)
    folder.rename(folder.with_name("elsewhere"))
    os.symlink("/etc", folder)
    answer = client.get(f"/api/artifacts/{kept['artifact']}")
    folder.unlink()
    folder.with_name("elsewhere").rename(folder)
    assert answer.status_code == 404
    assert "is not on this machine, or was removed" in answer.json()["detail"]


def _folder(handle: Handle, number: int, kept: dict[str, Any]) -> Path:
    from rung.api.places import runs_directory
    from rung.runner.checkpoints import snapshot_directory

    runs = runs_directory(handle)
    return snapshot_directory(runs, handle.name, trial=number, attempt=kept["attempt"], name=kept["name"])
