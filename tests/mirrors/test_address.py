"""Addresses: which tool, where, under which name, from which folder; and nobody's password on a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from rung.mirrors.address import absolute, kind_of, shown, target
from rung.model import BadInput


@pytest.mark.parametrize(
    ("address", "url", "name"),
    [
        ("optuna:sqlite:///o.db", "sqlite:///o.db", None),
        ("optuna:sqlite:///o.db#mine", "sqlite:///o.db", "mine"),
        ("optuna:postgresql://u:p@h:5432/db#a b", "postgresql://u:p@h:5432/db", "a b"),
        ("mlflow:databricks", "databricks", None),
        ("mlflow:http://h:5000#", "http://h:5000", None),
    ],
)
def test_an_address_says_where_and_under_which_name(address: str, url: str, name: str | None) -> None:
    assert target(address) == (url, name)


def test_a_variable_stands_for_what_should_not_be_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE", "postgresql://u:secret@h/db")
    assert target("optuna:$STORAGE#mine") == ("postgresql://u:secret@h/db", "mine")
    assert target("optuna:${STORAGE}x") == ("postgresql://u:secret@h/dbx", None)
    monkeypatch.delenv("STORAGE")
    with pytest.raises(BadInput, match=r"--mirror optuna:\$STORAGE: the environment variable STORAGE is not set"):
        target("optuna:$STORAGE")


@pytest.mark.parametrize("address", ["", "optuna", "optuna:", "optuna:#name", ":sqlite:///o.db"])
def test_what_is_no_address_says_what_one_looks_like(address: str) -> None:
    with pytest.raises(BadInput, match=r"expected KIND:ADDRESS, such as optuna:sqlite:///optuna\.db"):
        kind_of(address)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("optuna:sqlite:///o.db", "optuna:sqlite:////home/ann/o.db"),
        ("optuna:sqlite:///a/o.db#n", "optuna:sqlite:////home/ann/a/o.db#n"),
        ("optuna:sqlite:////abs/o.db", "optuna:sqlite:////abs/o.db"),
        ("optuna:journal:///j.log", "optuna:journal:////home/ann/j.log"),
        ("optuna:./j.log", "optuna:/home/ann/j.log"),
        ("mlflow:mlruns/all", "mlflow:/home/ann/mlruns/all"),
        ("mlflow:/abs/mlruns", "mlflow:/abs/mlruns"),
        ("mlflow:databricks", "mlflow:databricks"),
        ("optuna:$STORAGE", "optuna:$STORAGE"),
        ("optuna:postgresql://h/db", "optuna:postgresql://h/db"),
        ("optuna:redis://h:6379/0", "optuna:redis://h:6379/0"),
    ],
)
def test_a_relative_file_is_named_in_full(address: str, found: str) -> None:
    assert absolute(address, Path("/home/ann")) == found
    assert absolute(found, Path("/elsewhere")) == found


def test_a_password_is_not_shown() -> None:
    assert shown("optuna:postgresql://ann:se:cret@h/db") == "optuna:postgresql://ann:***@h/db"
    assert shown("optuna:redis://:secret@h/0") == "optuna:redis://:***@h/0"
    assert shown("optuna:sqlite:///a@b:c.db") == "optuna:sqlite:///a@b:c.db"
