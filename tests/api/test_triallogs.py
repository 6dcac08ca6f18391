"""Logs are read in windows, whatever a program has written there, and nothing but a log is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rung.api import triallogs
from rung.api.handle import Handle
from rung.api.triallogs import TrialLog, log_of, window
from rung.model import BadInput


def make(runs: Path, data: bytes | None, *, ended: bool = True, err: bytes = b"") -> TrialLog:
    folder = runs / "study" / "00007" / "2"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stderr").write_bytes(err)
    if data is not None:
        (folder / "stdout").write_bytes(data)
    return TrialLog(study="study", runs=runs, trial=7, attempt=2, attempts=2, stream="stdout", ended=ended)


def test_windows_put_together_are_the_whole_log(tmp_path: Path) -> None:
    text = "α line €100 🎉 and some more\n" * 50
    log = make(tmp_path, text.encode())
    for limit in (1, 4, 5, 7, 64):
        said, at, size = "", 0, len(text.encode())
        while at < size:
            found = log.window(at, limit)
            assert found.offset == at and at < found.next <= size
            said, at = said + found.text, found.next
        assert said == text, limit


def test_a_character_whose_rest_is_not_written_yet_waits(tmp_path: Path) -> None:
    found = make(tmp_path, "so €".encode()[:-1], ended=False).window()
    assert (found.text, found.next, found.size) == ("so ", 3, 5)
    over = make(tmp_path, "so €".encode()[:-1]).window()
    assert (over.text, over.next) == ("so \ufffd", 5)


def test_junk_is_replaced_and_counted_in_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4
    found = make(tmp_path, data).window()
    assert found.next == found.size == len(data)
    assert found.text.startswith("\x00\x01") and "\ufffd" in found.text


def test_the_end_begins_with_a_whole_line(tmp_path: Path) -> None:
    log = make(tmp_path, b"".join(b"line %d\n" % i for i in range(1000)))
    found = log.window(-30)
    assert found.text == "line 997\nline 998\nline 999\n"
    assert found.next == found.size
    assert log.window(-(10**9)).offset == 0
    assert make(tmp_path, b"x" * 100).window(-10).text == "x" * 10  # one line: what there is of it


def test_a_line_of_ten_megabytes_comes_in_parts(tmp_path: Path) -> None:
    log = make(tmp_path, b"y" * 10_000_000 + b"\nend\n")
    found = log.window(0, 10**9)
    assert len(found.text) == triallogs.MOST_BYTES
    assert log.window(-100).text == "end\n"
    assert [match.offset for match in log.search("END").matches or ()] == [10_000_001]


def test_an_offset_beyond_the_end_is_the_end(tmp_path: Path) -> None:
    found = make(tmp_path, b"short\n").window(10**9)
    assert (found.text, found.offset, found.next, found.size) == ("", 6, 6, 6)


def test_search_finds_across_the_borders_of_its_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triallogs, "CHUNK", 64)
    data = bytearray(b"." * 1000)
    places = [0, 62, 63, 126, 300, 994]
    for place in places:
        data[place : place + 1] = b"N"
    data = bytearray(bytes(data).replace(b"N", b"Needle"))
    log = make(tmp_path, bytes(data))
    found = [match.offset for match in log.search("nEEdle").matches or ()]
    assert found == [place + 5 * i for i, place in enumerate(places)]


def test_search_is_bounded_and_says_how_far_it_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = make(tmp_path, b"error here\n" * 100)
    monkeypatch.setattr(triallogs, "MOST_MATCHES", 10)
    first = log.search("error")
    assert first.matches is not None and len(first.matches) == 10
    second = log.search("error", first.next)
    assert second.matches is not None and second.matches[0].offset == 110
    monkeypatch.setattr(triallogs, "SCANNED", 50)
    monkeypatch.setattr(triallogs, "CHUNK", 50)
    assert log.search("nothing").next == 50
    for bad in ("", "x" * 201):
        with pytest.raises(BadInput, match="expected 1 to 200 characters"):
            log.search(bad)


def test_an_excerpt_is_the_line_around_the_match(tmp_path: Path) -> None:
    log = make(tmp_path, b"before\n  the Error is here \nafter\n" + b"a" * 500 + b"ERROR" + b"b" * 500)
    texts = [match.text for match in log.search("error").matches or ()]
    assert texts[0] == "the Error is here"
    assert "ERROR" in texts[1] and len(texts[1]) <= triallogs.EXCERPT


def test_only_a_plain_file_in_its_own_folder_is_a_log(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    log = make(runs, None)
    folder = runs / "study" / "00007" / "2"
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "stdout").symlink_to(secret)
    assert (log.window().text, log.window().missing is None) == ("", False)
    assert log.search("secret").matches is None
    (folder / "stdout").unlink()
    os.mkfifo(folder / "stdout")  # opening it must not wait for a writer
    assert log.window().missing
    (folder / "stdout").unlink()
    folder.rename(tmp_path / "moved")
    (tmp_path / "moved" / "stdout").write_text("moved")
    folder.symlink_to(tmp_path / "moved")
    assert log.window().missing
    for name in ("..", ".", "", "a/b"):
        odd = TrialLog(study=name, runs=runs, trial=7, attempt=2, attempts=2, stream="stdout", ended=True)
        assert odd.window().missing


def test_what_is_not_there_is_explained(handle: Handle, tmp_path: Path) -> None:
    log = make(tmp_path, None, err=b"12345")
    assert log.window().other == 5
    assert "no stdout of this attempt here" in str(log.window().missing)
    waiting = TrialLog(study="s", runs=tmp_path, trial=1, attempt=0, attempts=0, stream="stdout", ended=False)
    assert waiting.window().missing == "trial 1 has not started yet"
    silent = TrialLog(study="s", runs=tmp_path, trial=1, attempt=1, attempts=1, stream="stderr", ended=False)
    assert silent.window().missing == "trial 1 has written nothing to stderr yet"
    assert window(handle, 0).missing
    with pytest.raises(BadInput, match="has 1 attempt, not 2"):
        log_of(handle, 0, 2)
    with pytest.raises(BadInput, match="has no trial 77"):
        log_of(handle, 77)
    assert (log_of(handle, 0).ended, log_of(handle, 2).ended) == (True, False)
