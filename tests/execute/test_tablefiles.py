from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.execute.tablefiles import read_table, text_columns
from rung.model import BadInput
from rung.space import Space

DATA = Path(__file__).parents[3] / "shared" / "data"

LONG = """lr,opt,epoch,seconds,loss
0.1,sgd,1,2.0,0.9
0.1,sgd,2,4.0,0.5
0.2,adam,2,6.0,NaN
0.2,adam,1,3.0,inf
"""
WIDE = """lr,loss@1,seconds@1,loss@3,seconds@3
0.1,0.9,2,0.5,4
0.2,0.8,3,,
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "t.csv") -> Path:
        path = Path(name)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


def archive(**changes: Any) -> str:
    """A file of two data sets, two configurations and three steps."""
    arrays: dict[str, Any] = {
        "columns": np.array(["lr", "width"]),
        "configs": np.array([[0.1, 3.0], [0.2, 4.0]]),
        "one|loss": np.array([[3, 2, 1], [6, 5, np.nan]], dtype=np.float32),
        "one|seconds": np.array([[1, 2, 2], [2, 4, 6]], dtype=np.float32),
        "two|loss": np.zeros((2, 3)),
        "two|seconds": np.ones((2, 3)),
    } | changes
    path = "t.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


# -------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_a_line_for_each_step(file: Any, name: str) -> None:
    table = read_table(file(LONG, name), metrics=["loss"])
    assert table.configs == [{"lr": 0.1, "opt": "sgd"}, {"lr": 0.2, "opt": "adam"}]
    assert (table.metrics, table.parameters, len(table)) == (("loss",), ("lr", "opt"), 2)
    first, second = table.curves
    assert (first.steps.tolist(), first.seconds.tolist(), first.metrics["loss"].tolist()) == (
        [1, 2],
        [2, 4],
        [0.9, 0.5],
    )
    assert second.seconds.tolist() == [3, 6]
    assert str(second.metrics["loss"].tolist()) == "[inf, nan]"


def test_parameters_or_metrics_say_which_columns_are_what(file: Any) -> None:
    by_parameters = read_table(file(LONG), parameters=["lr", "opt"])
    assert (by_parameters.parameters, by_parameters.metrics) == (("lr", "opt"), ("loss",))
    with pytest.raises(BadInput, match=r"t.csv: say which columns are metrics: metrics=\[...\]"):
        read_table(file(LONG))


def test_a_line_for_each_configuration(file: Any) -> None:
    table = read_table(file(WIDE), metrics=["loss"])
    assert table.configs == [{"lr": 0.1}, {"lr": 0.2}]
    assert [curve.steps.tolist() for curve in table.curves] == [[1, 3], [1]]
    assert [curve.seconds.tolist() for curve in table.curves] == [[2, 4], [3]]
    assert text_columns(file(WIDE)) == ["lr", "loss", "seconds"]


def test_columns_are_of_one_kind(file: Any) -> None:
    text = "a,b,c,d,step,seconds,loss\n1,1,True,x,1,1,1\n2.0,1.5,false,,1,1,1\n"
    first, second = read_table(file(text), metrics=["loss"]).configs
    assert first == {"a": 1, "b": 1.0, "c": True, "d": "x"}
    assert second == {"a": 2, "b": 1.5, "c": False}
    assert [type(value) for value in first.values()] == [int, float, bool, str]


def test_step_and_seconds_may_have_other_names(file: Any) -> None:
    text = "lr,samples,clock,loss\n1,5,1,1\n"
    table = read_table(file(text), metrics=["loss"], step="samples", seconds="clock")
    assert table.curves[0].steps.tolist() == [5]


BAD = {
    "": "t.csv: is empty",
    "lr,epoch,seconds,loss\n": "t.csv: holds no configuration",
    "lr,epoch,loss\n1,1,1\n": "t.csv:1: has no column 'seconds' (the seconds from the start of a run)",
    "lr,seconds,loss\n1,1,1\n": "t.csv:1: has no column for the step: expected step, epoch, iteration, or say which",
    "lr,epoch,seconds,lass\n1,1,1,1\n": "t.csv:1: has no column 'loss' (a parameter or a metric) (did you mean 'lass'?)",
    "lr,epoch,seconds,loss\n1,1,1,1\n1,2,1\n": "t.csv:3: expected 4 cells, as in the first line, got 3",
    "lr,epoch,seconds,loss\n1,1,nan,1\n": "t.csv:2: seconds: seconds count from the start and must not fall: got nan at step 1 after 0",
    "lr,epoch,seconds,loss\n1,1,5,1\n1,2,4,1\n": "t.csv:3: seconds: seconds count from the start and must not fall: got 4 at step 2 after 5",
    "lr,epoch,seconds,loss\n1,1,1,1\n2,1,1,1\n1,1,3,1\n": "t.csv:4: repeats the configuration of line 2 at step 1: remove one, or search what tells them apart",
    "lr,epoch,seconds,loss\n1,1,1,high\n": "t.csv:2: loss: expected a number, got 'high'",
    "lr,epoch,seconds,loss\n1,1,1,\n": "t.csv:2: loss: expected a number, got nothing (write NaN for a value that is no number)",
    "lr,epoch,seconds,loss\n1,0,1,1\n": "t.csv:2: epoch: steps are numbers above 0",
    "lr,loss@1,seconds@1,loss@2\n1,1,1,1\n": "t.csv:1: has no column 'seconds@2' (every step has all metrics and the seconds) (did you mean 'seconds@1'?)",
    "lr,loss@1,seconds@1\n1,1,1\n1,2,2\n": "t.csv: row 2 repeats the configuration of row 1: remove one",
    "lr,loss@1,seconds@1\n1,,\n": "t.csv:2: holds no step",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_text_is_one_line_with_its_place(file: Any, text: str) -> None:
    with pytest.raises(BadInput) as error:
        read_table(file(text), metrics=["loss"])
    assert str(error.value) == BAD[text]


def test_what_is_no_text_is_refused(file: Any, tmp_path: Path) -> None:
    Path("t.csv").write_bytes(b"\xff\xfe\x00lr")
    with pytest.raises(BadInput, match=r"t.csv: cannot be read as comma-separated values: "):
        read_table("t.csv", metrics=["loss"])
    Path("t.csv.gz").write_bytes(b"not zipped")
    with pytest.raises(BadInput, match=r"t.csv.gz: cannot be read as comma-separated values: "):
        read_table("t.csv.gz", metrics=["loss"])
    with pytest.raises(BadInput, match=r"none.csv: no such file"):
        read_table("none.csv")
    with pytest.raises(BadInput, match=r"t.txt: expected .npz, .csv or .csv.gz"):
        read_table(file("x", "t.txt"))
    with pytest.raises(BadInput, match=r"t.csv: dataset: only an .npz archive holds several data sets"):
        read_table(file(LONG), dataset="one")


# --------------------------------------------------------------------------------------------------------- archives


def test_an_archive_holds_several_data_sets(file: Any) -> None:
    path = archive()
    table = read_table(path, dataset="one")
    assert table.configs == [{"lr": 0.1, "width": 3}, {"lr": 0.2, "width": 4}]
    assert type(table.configs[0]["width"]) is int
    assert table.curves[0].steps.tolist() == [1, 2, 3]
    assert table.curves[0].seconds.tolist() == [1, 2, 2]
    assert table.curves[0].metrics["loss"].tolist() == [3, 2, 1]
    assert read_table(f"{path}#two").curves[1].seconds.tolist() == [1, 1, 1]


def test_an_archive_of_one_data_set_may_leave_its_name_out(file: Any) -> None:
    arrays: dict[str, Any] = {"loss": np.zeros((2, 2)), "seconds": np.ones((2, 2)), "steps": np.array([5, 10])}
    arrays |= dict.fromkeys(["one|loss", "one|seconds", "two|loss", "two|seconds"])
    path = archive(**arrays)
    assert read_table(path).curves[0].steps.tolist() == [5, 10]


@pytest.mark.parametrize(
    ("changes", "dataset", "says"),
    [
        ({}, None, "t.npz: dataset: holds 2 data sets, say which: one, two"),
        ({}, "three", "t.npz: has no data set 'three'; it has one, two"),
        ({"configs": None}, "one", "t.npz: has no array 'configs'; it has columns, one|loss, one|seconds, two|loss, two|seconds"),
        ({"configs": np.ones((2, 3))}, "one", "t.npz: configs: expected the shape (n, 2), got (2, 3)"),
        ({"one|seconds": None}, "one", "t.npz: has no array 'one|seconds': the times say when a step is reported"),
        ({"one|loss": np.ones((2, 2))}, "one", "t.npz: one|loss: expected the shape (2, 3), got (2, 2)"),
        ({"one|loss": None}, "one", "t.npz: holds no metric"),
        ({"one|seconds": np.array([[1, 2, 3], [1, np.nan, 3]])}, "one", "t.npz: row 2: seconds count from the start and must not fall, got nan after 1 at step 2"),
        ({"one|seconds": np.array([[1, 2, 1.5], [1, 2, 3]])}, "one", "t.npz: row 1: seconds count from the start and must not fall, got 1.5 after 2 at step 3"),
        ({"configs": np.ones((2, 2))}, "one", "t.npz: row 2 repeats the configuration of row 1: remove one"),
    ],
)  # fmt: skip
def test_a_bad_archive_is_one_line_with_its_place(
    file: Any, changes: dict[str, Any], dataset: str | None, says: str
) -> None:
    with pytest.raises(BadInput) as error:
        read_table(archive(**changes), dataset=dataset)
    assert str(error.value) == says


def test_nothing_in_an_archive_is_unpickled(file: Any, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    archive(configs=np.array([[Trap(), 1], [1, 2]], dtype=object))
    with pytest.raises(BadInput, match=r"t.npz: cannot be read as a NumPy archive: "):
        read_table("t.npz", dataset="one")
    Path("t.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(BadInput, match=r"t.npz: cannot be read as a NumPy archive: "):
        read_table("t.npz", dataset="one")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(not (DATA / "lcbench_curves.npz").exists(), reason="lcbench_curves.npz is not beside this project")
def test_the_curves_of_real_networks() -> None:
    table = read_table(f"{DATA / 'lcbench_curves.npz'}#7593")
    assert (len(table), table.metrics, len(table.curves[0].steps)) == (1000, ("accuracy",), 52)
    found = table.over(Space(table.space(log=["batch_size", "learning_rate", "max_units"])), ["accuracy"])
    assert [found.row(config) for config in table.configs[::50]] == list(range(0, 1000, 50))
