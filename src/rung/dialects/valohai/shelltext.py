"""Values put into shell text so that they stay values, wherever in the text they stand.

The original puts every value in single quotes and leaves it at that; inside `"..."`, a here-document or a substitution
such a value is still looked at by the shell. Here the text is read along, as POSIX quoting has it, so that it is known
where a value lands. A value that is harmless there is put exactly as the original puts it.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import NamedTuple

from rung.model import BadInput

_SAFE_IN_DOUBLE = re.compile(r"[^$`\\\"!]*")
_SAFE_IN_SINGLE = re.compile(r"[\w@%+=:,./ -]*", re.ASCII)
_HERE = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|(\\?)([\w.+-]+))")


class Here(NamedTuple):
    """A here-document that is open or about to be: the word that ends it, whether tabs before it do not count, whether
    the shell looks into it."""

    word: str
    tabs: bool
    live: bool


class ShellText:
    """Text for a shell, put together from left to right. Contexts: "" (bare), `'`, `"`, bash's
    `$'`, a substitution `$(`, a backquote, a comment `#`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._open: list[str] = []  # contexts, innermost last
        self._coming: list[Here] = []  # here-documents that begin with the next line
        self._here: Here | None = None
        self._line = ""  # of the here-document, so far
        self._escaped = False
        self._before = "\n"  # the character before

    def __str__(self) -> str:
        return "".join(self.parts)

    def text(self, text: str) -> None:
        """The user's own text follows."""
        self.parts.append(text)
        at = 0
        while at < len(text):
            at += self._step(text, at)

    def words(self, words: list[str], *, what: str) -> None:
        """These words follow, each as one; `what` names them in an error.

        Raises `BadInput` where no quoting keeps the shell from looking into them.
        """
        quoted = " ".join(quote(word) for word in words)
        if all(quote(word) == word for word in words):
            self.text(quoted)
        elif self._here is not None:
            self.text(self._in_here(words, quoted, what))
        elif "`" in self._open and re.search(r"[`\\]", quoted):
            raise _unsafe(what, "a command in backquotes; write $(...) instead")
        elif self._open[-1:] == ['"'] and not _SAFE_IN_DOUBLE.fullmatch(quoted):
            self.parts.append(f'"{quoted}"')  # the string is closed before the value and opened again after it
            self._before = '"'
        elif self._open[-1:] == ["'"] and not all(_SAFE_IN_SINGLE.fullmatch(word) for word in words):
            self.parts.append(f"'{quoted}'")
            self._before = "'"
        elif self._open[-1:] == ["#"] and "\n" in quoted:
            raise _unsafe(what, "a comment")
        elif self._open[-1:] == ["$'"]:
            raise _unsafe(what, "a string of the form $'...'")
        else:
            self.parts.append(quoted)
            self._before = "'"

    def _in_here(self, words: list[str], quoted: str, what: str) -> str:
        assert self._here is not None
        if "\n" in quoted:
            raise _unsafe(what, "a here-document, and it has several lines")
        return re.sub(r"([$`\\])", r"\\\1", quoted) if self._here.live else quoted

    # ------------------------------------------------------------------------------------------------------ reading

    def _step(self, text: str, at: int) -> int:
        """One more character, or a here-document's beginning, is read; returns how many characters that was."""
        char = text[at]
        if self._here is not None:
            self._in_document(char)
            return 1
        where = self._open[-1] if self._open else ""
        size = 1
        if where == "'":
            if char == "'":
                self._open.pop()
        elif self._escaped:
            self._escaped = False
        elif char == "\\" and where != "#":
            self._escaped = True
        elif where in {"#", "$'"}:
            if char == ("\n" if where == "#" else "'"):
                self._open.pop()
        else:
            size = self._plain(text, at, char, where)
        if char == "\n" and self._coming and where != "'":
            self._here, self._line = self._coming.pop(0), ""
        self._before = text[at + size - 1]
        return size

    def _plain(self, text: str, at: int, char: str, where: str) -> int:
        """A character that may open or close a context."""
        if char == '"':
            if where == '"':
                self._open.pop()
            else:
                self._open.append('"')
        elif text.startswith("$(", at):
            self._open.append("$(")
            return 2
        elif char == "`":
            self._open.pop() if where == "`" else self._open.append("`")
        elif where == '"':
            return 1
        elif char == "'":
            self._open.append("$'" if self._before == "$" else "'")
        elif char == "(" and where == "$(":
            self._open.append("$(")
        elif char == ")" and where == "$(":
            self._open.pop()
        elif char == "#" and self._before in " \t\n;&|(":
            self._open.append("#")
        elif char == "<" and not text.startswith("<<<", at) and (found := _HERE.match(text, at)):
            single, double, escaped, bare = found[2], found[3], found[4], found[5]
            word = next(word for word in (single, double, bare) if word is not None)
            self._coming.append(Here(word, bool(found[1]), bare is not None and not escaped))
            return found.end() - at
        elif text.startswith("<<<", at):
            return 3
        return 1

    def _in_document(self, char: str) -> None:
        assert self._here is not None
        if char != "\n":
            self._line += char
            return
        line = self._line.lstrip("\t") if self._here.tabs else self._line
        self._line = ""
        if line == self._here.word:
            self._here = self._coming.pop(0) if self._coming else None
            self._before = "\n"


def _unsafe(what: str, where: str) -> BadInput:
    return BadInput(f"the value of {what} cannot be quoted inside {where}", key="command")
