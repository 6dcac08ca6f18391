from __future__ import annotations

import pytest

from rung.model import BadInput
from rung.store.address import DEFAULT, Address, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sqlite:///runs/rung.db", Address("sqlite", "runs/rung.db")),
        ("sqlite:////abs/path.db", Address("sqlite", "/abs/path.db")),
        ("sqlite:///rung.db", Address("sqlite", "rung.db")),
        ("sqlite:///a b/%20/ü#1.db", Address("sqlite", "a b/%20/ü#1.db")),
        ("sqlite:///../up.db", Address("sqlite", "../up.db")),
        ("memory://", Address("memory", "")),
        ("memory:///", Address("memory", "")),
        ("postgresql://me@host/db?x=1", Address("postgresql", "me@host/db?x=1")),
        ("my-store+v2://a", Address("my-store+v2", "a")),
    ],
)
def test_a_url_is_taken_apart(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("runs/rung.db", "sqlite:///runs/rung.db"),
        ("/abs/rung.db", "sqlite:////abs/rung.db"),
        ("", DEFAULT),
        ("  ", DEFAULT),
        ("sqlite:runs/rung.db", DEFAULT),
        ("SQLite:///x.db", DEFAULT),
        ("sqlite://", DEFAULT),
        ("sqlite:///", DEFAULT),
        ("sqlite:////", DEFAULT),
        ("sqlite://runs/rung.db", "sqlite:///runs/rung.db"),
        ("sqlite:///runs/", "sqlite:///runs/rung.db"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///x.db?mode=ro", "another file"),
        ("sqlite:///x\n.db", "another file"),
        ("sqlite:///x\0.db", "another file"),
        ("memory://name", "memory://"),
    ],
)
def test_a_url_that_will_not_do_is_refused_in_one_line_with_one_that_would(url: str, remedy: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(url)
    said = str(refused.value)
    assert remedy in said
    assert repr(url) in said
    assert said.isprintable()
