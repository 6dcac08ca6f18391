"""Pages of trials, CSV, columns and masks over REST."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from litestar.testing import TestClient

from rung.analysis import trialtable
from rung.server.site import Site

pytestmark = pytest.mark.xdist_group("server tables")  # its tests share a study, in their order
STUDY = "/api/studies/score-1"


def test_a_page_of_rows_is_filtered_sorted_and_cut(client: TestClient[Any], site: Site) -> None:
    page = client.get(f"{STUDY}/trials", params={"where": "state == 'complete'", "sort": "value", "limit": 3}).json()
    assert (page["total"], page["of"], len(page["rows"])) == (8, 9, 3)
    values = [row["value"] for row in page["rows"]]
    assert values == sorted(values)
    rest = client.get(f"{STUDY}/trials", params={"where": "state == 'complete'", "sort": "value", "offset": 3}).json()[
        "rows"
    ]
    with site.study("score-1").read() as handle:
        numbers = [n for n in trialtable.order(handle.state, "value").tolist() if n != 2]
        assert page["rows"] + rest == trialtable.rows(handle.state, numbers)
        assert page["seq"] == handle.state.seq


def test_without_a_limit_all_rows_come(client: TestClient[Any]) -> None:
    assert [row["number"] for row in client.get(f"{STUDY}/trials").json()["rows"]] == list(range(9))
    assert client.get(f"{STUDY}/trials", params={"offset": 100}).json()["rows"] == []


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("trials", {"where": "ls < 1"}, "unknown name 'ls' (did you mean 'loss'?)"),
        ("trials", {"where": "state == 'done'"}, "column 10: state is never 'done'"),
        ("trials", {"sort": "losss"}, "no column 'losss'"),
        ("trials.csv", {"columns": "number,nope"}, "no column 'nope'"),
        ("columns", {"names": "nope"}, "no column 'nope'"),
        ("mask", {"where": "lr <"}, "column 1: cannot be read here"),
    ],
)
def test_bad_input_is_one_line(client: TestClient[Any], path: str, query: dict[str, str], said: str) -> None:
    answer = client.get(f"{STUDY}/{path}", params=query)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_an_unknown_study_is_not_found(client: TestClient[Any]) -> None:
    for path in ("trials", "trials.csv", "columns", "columnlist", "mask", "now"):
        assert client.get(f"/api/studies/nope/{path}").status_code == 404, path


def test_csv_is_a_file_of_the_chosen_columns(client: TestClient[Any]) -> None:
    query = {"where": "number < 2", "sort": "-number", "columns": "number,params.lr,metrics.size"}
    answer = client.get(f"{STUDY}/trials.csv", params=query)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="score-1.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["number"] for row in rows] == ["1", "0"]
    assert list(rows[0]) == ["number", "params.lr", "metrics.size"]
    whole = client.get(f"{STUDY}/trials.csv").text
    assert whole.startswith("number,state,value,params_lr,params_width,params_opt,values_loss,values_size,steps,")
    assert whole.count("\n") == 10


def test_columns_are_raw_bytes(client: TestClient[Any]) -> None:
    answer = client.get(f"{STUDY}/columns", params={"names": "number,lr", "where": "opt == 'sgd'", "marks": 2})
    assert answer.headers["content-type"] == "application/octet-stream"
    data = answer.content
    assert data[:8] == b"RUNGCOL1"
    header = json.loads(data[16 : 16 + int.from_bytes(data[8:12], "little")])
    assert (header["rows"], header["of"]) == (2, 9)
    assert [column["name"] for column in header["columns"]] == ["number", "params.lr"]


def test_a_mask_has_a_bit_for_each_trial(client: TestClient[Any]) -> None:
    answer = client.get(f"{STUDY}/mask", params={"where": "number in [0, 3, 8]"})
    assert answer.content == bytes([0b1001, 0b1])
    assert answer.headers["x-rung-of"] == "9"
    assert answer.headers["x-rung-matching"] == "3"


def test_the_columns_that_there_are(client: TestClient[Any]) -> None:
    found = {column["name"]: column for column in client.get(f"{STUDY}/columnlist").json()["columns"]}
    assert found["params.lr"]["log"]
    assert found["params.opt"]["categories"] == ["sgd", "adam"]
    assert found["metrics.loss"]["goal"] == "minimize"
    assert found["state"]["group"] == "trial"


def test_how_the_study_stands_now(client: TestClient[Any]) -> None:
    now = client.get(f"{STUDY}/now").json()
    assert now["state"] == "complete"
    assert now["ended"]
    assert (now["trials"], now["total"], now["counts"]["failed"]) == (9, 8, 1)
    assert now["changed"] is None
    assert client.get(f"{STUDY}/now", params={"since": now["seq"]}).json()["changed"] == []
    best = client.get(f"{STUDY}/trials", params={"sort": "value", "limit": 1}).json()["rows"][0]
    assert now["best"] == {"number": best["number"], "value": best["value"]}
