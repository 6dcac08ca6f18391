from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest

from rung.analysis.views import Readable, View, find_view, show, views
from rung.analysis.views.options import chosen, options_of, result_of
from rung.model import BadInput


class Record(msgspec.Struct):
    """What the view below gives."""

    got: dict[str, Any]


def view(
    study: Readable,
    *,
    over: Literal["trial", "time"] = "trial",
    count: Annotated[int, msgspec.Meta(description="How many.", ge=1, le=9)] = 3,
    share: float = 0.5,
    smooth: bool = False,
    metric: str | None = None,
    trials: list[int] = [],  # noqa: B006
    names: list[str] = ["a"],  # noqa: B006
    states: list[Literal["complete", "failed"]] = ["complete"],  # noqa: B006
) -> Record:
    return Record({"over": over})


DEFAULTS = {
    "over": "trial", "count": 3, "share": 0.5, "smooth": False, "metric": None, "trials": [], "names": ["a"],
    "states": ["complete"],
}  # fmt: skip


def test_the_signature_says_what_there_is() -> None:
    found = {option.name: option for option in options_of(view)}
    assert list(found) == list(DEFAULTS)
    assert found["over"].words == ("trial", "time")
    assert (found["count"].least, found["count"].most, found["count"].about) == (1, 9, "How many.")
    assert found["metric"].optional
    assert [name for name, option in found.items() if option.many] == ["trials", "names", "states"]
    assert result_of(view) is Record
    assert View("v", "a view", view).options == options_of(view)


def test_nothing_given_is_the_defaults() -> None:
    assert chosen(view, {}, view="v") == DEFAULTS


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("over", "time", "time"),
        ("count", "7", 7),
        ("count", 7, 7),
        ("count", " +7 ", 7),
        ("share", "1e-3", 0.001),
        ("share", 2, 2.0),
        ("smooth", "true", True),
        ("smooth", "OFF", False),
        ("smooth", True, True),
        ("smooth", "1", True),
        ("metric", "", None),
        ("metric", None, None),
        ("metric", "val_loss", "val_loss"),
        ("trials", "1, 5,7", [1, 5, 7]),
        ("trials", [1, "5"], [1, 5]),
        ("trials", 4, [4]),
        ("trials", "", []),
        ("names", "a,b", ["a", "b"]),
        ("names", '["a,b", "c"]', ["a,b", "c"]),
        ("names", ("a", "b"), ["a", "b"]),
        ("states", "failed,complete", ["failed", "complete"]),
    ],
)
def test_text_and_values_are_read_alike(name: str, given: Any, expected: Any) -> None:
    found = chosen(view, {name: given}, view="v")[name]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"ovr": "time"}, "view v: no option 'ovr' (did you mean 'over'?); it has over, count, share,"),
        ({"over": "tim"}, "view v: over: expected trial or time, got 'tim' (did you mean 'time'?)"),
        ({"over": 3}, "view v: over: expected trial or time, got 3"),
        ({"count": "0"}, "view v: count: expected a whole number from 1 to 9, got '0'"),
        ({"count": "2.5"}, "view v: count: expected a whole number from 1 to 9, got '2.5'"),
        ({"count": True}, "view v: count: expected a whole number from 1 to 9, got True"),
        ({"count": "9" * 30}, "view v: count: expected a whole number from 1 to 9"),
        ({"share": "nan"}, "view v: share: expected a number, got 'nan'"),
        ({"share": "half"}, "view v: share: expected a number, got 'half'"),
        ({"smooth": "maybe"}, "view v: smooth: expected true or false, got 'maybe'"),
        ({"metric": 3}, "view v: metric: expected text, got 3"),
        ({"trials": "1,x"}, "view v: trials: expected whole numbers with commas between, got 'x'"),
        ({"names": "[1"}, "view v: names: expected names with commas between, got '[1'"),
        ({"states": "compleet"}, "view v: states: expected complete or failed, got 'compleet'"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(given: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as caught:
        chosen(view, given, view="v")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_an_unknown_view_is_an_error_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"no view 'histori' \(did you mean 'history'\?\)"):
        find_view("histori")
    with pytest.raises(BadInput, match="no view"):
        show(None, "no such", over="time")  # type: ignore[arg-type]


def test_every_view_is_fit_for_all_doors() -> None:
    for name, found in views().items():
        assert name == found.name
        assert found.about
        assert found.make.__doc__
        assert issubclass(result_of(found.make), msgspec.Struct)
        for option in found.options:
            assert option.about, (name, option.name)
            assert option.read(_as_text(option.default)) == option.default or option.default is None


def _as_text(default: Any) -> str:
    if isinstance(default, list | tuple):
        return json.dumps(default)
    return "" if default is None else str(default)
