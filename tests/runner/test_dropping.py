"""Folders of checkpoints that nobody needs are gone, whoever died meanwhile; what is needed stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rung.model import Checkpoint, CheckpointSpec, Reason
from rung.runner import checkpoints
from rung.runner.checkpoints import Copies, Gone, bring, remove, saved_before, snapshot_directory, tidy
from rung.runner.jobs import attempt_directory
from rung.study import events as ev
from rung.study.live import Live, Saved
from rung.study.state import State
from rung.testing.studies import Folding, study_spec
from runner.stage import Stage

Make = Callable[..., Stage]
SAVES = """
for n in 1 2 3 4; do
    mkdir -p "$RUNG_TRIAL_DIR/checkpoints/$n" "$RUNG_CHECKPOINT_DIR"
    echo $n > "$RUNG_TRIAL_DIR/checkpoints/$n/model"
    echo $n > "$RUNG_CHECKPOINT_DIR/model"
    mkdir -p "$RUNG_TRIAL_DIR/checkpoints/unnamed"
    echo x > "$RUNG_TRIAL_DIR/checkpoints/unnamed/model"
    [ $n = 2 ] && loss=0 || loss=$n
    echo '{"step": '$n', "loss": '$loss', "_checkpoint": "'$n'"}'
done
"""


def folders(runs: Path, *, trial: int = 0, attempt: int = 1) -> list[str]:
    """The snapshots of an attempt that there are."""
    folder = attempt_directory(runs, "study", trial=trial, attempt=attempt) / "checkpoints"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_what_the_policy_does_not_keep_is_deleted(stage: Make) -> None:
    one = stage(SAVES, trials=2)
    assert one.run(workers=2) == "done"
    dropped = [found for event in one.of(ev.CheckpointsDropped) for found in event.dropped]
    assert sorted((found.trial, found.name) for found in dropped) == [(0, "1"), (0, "3"), (1, "1"), (1, "3")]
    for trial in (0, 1):
        assert folders(one.runs, trial=trial) == ["2", "4"], "best and latest; and nothing that no line names"


def test_a_runner_that_died_before_its_folders_were_gone_is_made_up_for(stage: Make) -> None:
    one = stage(SAVES, trials=1)
    one.run()
    [left, _] = [found for event in one.of(ev.CheckpointsDropped) for found in event.dropped]
    folder = snapshot_directory(one.runs, "study", trial=left.trial, attempt=left.attempt, name=left.name)
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "model").write_text("of a runner that was killed")
    assert one.run() == "done"
    assert folders(one.runs) == ["2", "4"]


def test_a_trial_that_is_over_keeps_its_working_copy_if_it_ended_by_itself(stage: Make) -> None:
    one = stage(SAVES, trials=1)
    one.run()
    assert (attempt_directory(one.runs, "study", trial=0, attempt=1) / "checkpoint" / "model").read_text() == "4\n"


# ------------------------------------------------------------------------------------------------ one attempt's folder


def saved(tmp_path: Path, *names: str) -> Path:
    """The folder of an attempt with a working copy and these snapshots."""
    directory = attempt_directory(tmp_path, "s", trial=0, attempt=1)
    for folder in ("checkpoint", *(f"checkpoints/{name}" for name in names)):
        (directory / folder).mkdir(parents=True)
        (directory / folder / "model").write_text(folder)
    return directory


@pytest.mark.parametrize(
    ("kept", "all_of_it", "left", "working"),
    [
        ({"1"}, True, ["1"], False),
        ({"1"}, False, ["1"], True),
        ({"1", "2"}, True, ["1", "2"], False),
        (set(), True, [], True),
    ],
)
def test_tidying_leaves_what_the_log_names(
    tmp_path: Path, kept: set[str], left: list[str], *, all_of_it: bool, working: bool
) -> None:
    """Where the log names none, what the working copy holds is all that there is."""
    directory = saved(tmp_path, "1", "2", ".partial")
    (directory / "checkpoints" / ".kept").write_text("digest")
    tidy(directory, kept, all_of_it=all_of_it)
    assert sorted(path.name for path in (directory / "checkpoints").iterdir()) == left
    assert (directory / "checkpoint").is_dir() is working


def test_tidying_an_attempt_without_snapshots_does_nothing(tmp_path: Path) -> None:
    directory = saved(tmp_path)
    tidy(directory, {"1"}, all_of_it=True)
    assert (directory / "checkpoint" / "model").exists()
    tidy(tmp_path / "nowhere", set(), all_of_it=True)


def test_links_go_and_not_what_they_point_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("data")
    link = tmp_path / "link"
    link.symlink_to(precious)
    remove(link)
    assert not link.is_symlink()
    assert (precious / "data").exists()
    remove(link)
    remove(tmp_path / "nowhere")


@pytest.mark.parametrize("which", ["checkpoints", "attempt", "trial"])
def test_what_a_program_has_linked_to_is_not_deleted(tmp_path: Path, which: str) -> None:
    """It has put a link in place of a folder of ours, and named a folder behind it as its checkpoint."""
    runs, directory = tmp_path / "runs", attempt_directory(tmp_path / "runs", "s", trial=0, attempt=1)
    link = {"checkpoints": directory / "checkpoints", "attempt": directory, "trial": directory.parent}[which]
    precious = directory / "checkpoints" / "precious"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    for folder in (precious, directory / "checkpoint"):
        folder.mkdir(parents=True)
        (folder / "data").write_text("data")
    work = Copies(runs, "s", lambda: None, print)
    work.drop([ev.Dropped(0, 1, "precious")])
    live = Live(0, attempt=1, stop=Reason(by="test", text="enough"))
    work.tidy(state_with("other"), live)
    work.close()
    assert (precious / "data").exists()
    assert (directory / "checkpoint" / "data").exists()


def state_with(*names: str) -> State:
    """A state that knows of these checkpoints of trial 0."""
    log = Folding(study_spec(checkpoint=CheckpointSpec(trial_latest=9)))
    log.started()
    for place, name in enumerate(names, start=1):
        log.state.shelf.add(0, Saved(Checkpoint(1, name, float(place), place, 1)), best=0)
    return log.state


def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path, "s", lambda: None, print)


def test_all_that_is_under_way_is_done_when_a_runner_leaves(tmp_path: Path) -> None:
    directory, work = saved(tmp_path, "1", "2", "3"), copies(tmp_path)
    work.drop([ev.Dropped(0, 1, "1"), ev.Dropped(0, 1, "none"), ev.Dropped(7, 7, "7")])
    work.tidy(state_with("2"), Live(0, attempt=1))
    work.close()
    assert sorted(path.name for path in (directory / "checkpoints").iterdir()) == ["2"]


@pytest.mark.parametrize("why", ["pause", "stop"])
def test_of_a_trial_that_was_ended_the_working_copy_goes(tmp_path: Path, why: str) -> None:
    """It goes on from a snapshot, if at all."""
    directory, work = saved(tmp_path, "1"), copies(tmp_path)
    live = Live(0, attempt=1)
    setattr(live, why, Reason(by="test", text="enough"))
    work.tidy(state_with("1"), live)
    work.close()
    assert not (directory / "checkpoint").exists()
    assert (directory / "checkpoints" / "1" / "model").exists()


# ------------------------------------------------------------------------------------------------ what is resumed from


def test_a_checkpoint_of_another_size_is_none(tmp_path: Path) -> None:
    directory = saved(tmp_path, "1")
    source, here = directory / "checkpoints" / "1", tmp_path / "next" / "checkpoint"
    here.parent.mkdir()
    size = len("checkpoints/1")
    with pytest.raises(Gone, match=f"holds {size} bytes, not the 99 that were saved"):
        bring(source, here, size=99)
    assert not here.exists()
    bring(source, here, size=size)
    assert (here / "model").read_text() == "checkpoints/1"


def test_a_checkpoint_that_is_not_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(Gone, match="is not there any more"):
        bring(tmp_path / "nowhere", tmp_path / "checkpoint")


def test_a_working_copy_that_goes_before_it_is_copied_is_none(stage: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user deletes what an earlier attempt had saved at the very moment when it is to be copied."""
    script = 'mkdir -p "$RUNG_CHECKPOINT_DIR"; echo 1 > "$RUNG_CHECKPOINT_DIR/m"; echo loss: 1; [ $RUNG_ATTEMPT -gt 1 ]'
    one, found = stage(script, trials=1, retries=1), saved_before
    asked: list[int] = []

    def going(runs: Path, study: str, *, trial: int, attempt: int, since: int) -> Path | None:
        asked.append(attempt)
        return runs / "gone" if attempt == 2 else found(runs, study, trial=trial, attempt=attempt, since=since)

    monkeypatch.setattr(checkpoints, "saved_before", going)
    assert one.run() == "done"
    assert asked == [2, 3]
    assert [said for said in one.said if "it begins from an older checkpoint, or anew" in said]
    assert one.states() == ["complete"]
    assert one.of(ev.CheckpointLost) == []
