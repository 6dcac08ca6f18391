from __future__ import annotations

from rung.analysis.views.rows import rows_of


def test_columns_of_one_length_are_rows() -> None:
    found = rows_of({"metric": "loss", "of": 9, "number": [1, 2, 3], "value": [0.1, "NaN", 0.3], "best": [1]})
    assert found.names == ["number", "value"]
    assert found.rows == [[1, 0.1], [2, "NaN"], [3, 0.3]]
    assert found.beside == {"metric": "loss", "of": 9}


def test_a_record_may_name_its_marks() -> None:
    record = {"number": [1, 2], "x": [0.5, 0.25], "best_number": [1, 2], "names": ["a", "b"]}
    assert rows_of(record, ("number", "x")).names == ["number", "x"]
    assert rows_of({"x": [], "y": [], "of": 3}, ("x", "y")) == (["x", "y"], [], {"of": 3})


def test_what_objects_hold_for_each_mark_stands_beside_it() -> None:
    axes = [{"metric": "loss", "values": [3, 4]}, {"axis": {"name": "lr"}, "x": [0.1, None], "bins": [{"low": 1}]}]
    found = rows_of({"number": [7, 9], "axes": axes, "grid": [[1], [2]]})
    assert found.names == ["number", "loss", "lr"]
    assert found.rows == [[7, 3, 0.1], [9, 4, None]]


def test_objects_with_columns_are_a_row_a_point() -> None:
    curves = [
        {"number": 3, "x": [1, 2], "y": [0.5, 0.25]},
        {"number": 4, "x": [], "y": []},
        {"number": 7, "x": [1], "y": [9]},
    ]
    found = rows_of({"shown": 2, "rungs": [1.0], "curves": curves})
    assert found.names == ["number", "x", "y"]
    assert found.rows == [[3, 1, 0.5], [3, 2, 0.25], [7, 1, 9]]


def test_objects_without_columns_are_a_row_each() -> None:
    found = rows_of({"runners": [{"host": "a", "pid": 1}, {"host": "b"}]})
    assert found.names == ["host", "pid"]
    assert found.rows == [["a", 1], ["b", None]]


def test_nothing_is_nothing() -> None:
    assert rows_of({"of": 0, "number": []}).rows == []
    assert rows_of({"counts": {"complete": 3}, "trials": 3}).beside == {"trials": 3}
