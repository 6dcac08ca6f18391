"""A step's commands with its parameters in place, as text for a shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rung.dialects.valohai.parameters import listed
from rung.dialects.valohai.shelltext import ShellText
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rung.dialects.valohai.parameters import ParameterItem

_PLACEHOLDER = re.compile(r"{(.+?)}")
_SIMPLE = re.compile(r"[^;&|#\n\\!]*")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh"})


def values_of(parameters: Sequence[ParameterItem], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a command is built from: the defaults but for those of flags, and what is given."""
    defaults = {item.name: item.default for item in parameters if item.default is not None and not item.is_flag}
    return {**defaults, **given}


def build_command(
    command: str | Sequence[str],
    parameters: Sequence[ParameterItem],
    given: Mapping[str, Any],
    *,
    source_path: str | None = None,
) -> list[str]:
    """Each command of the step with its placeholders filled, every value quoted, stripped of blanks around it.

    `{parameters}` is every parameter in the order of declaration, `{parameter:X}` one of them, `{parameter-value:X}`
    its value alone; what else is in braces stays as it is. Raises `BadInput` for a value that cannot be passed.
    """
    filled = _Filling(parameters, values_of(parameters, given), source_path)
    return [filled.command(text) for text in listed(command)]


class _Filling:
    """The placeholders' meanings."""

    def __init__(self, parameters: Sequence[ParameterItem], values: Mapping[str, Any], source_path: str | None) -> None:
        self.parameters = {item.name: item for item in parameters}
        self.values, self.source_path = values, source_path

    def command(self, text: str) -> str:
        """One command, filled."""
        out, at = (ShellText() if is_for_shell(text) else _Quoted()), 0
        for match in _PLACEHOLDER.finditer(text):
            out.text(text[at : match.start()])
            words = self.words(match[1])
            if words is None:
                out.text(match[0])
            else:
                out.words(words, what=match[0])
            at = match.end()
        out.text(text[at:])
        return str(out).strip()

    def words(self, name: str) -> list[str] | None:
        """The words that a placeholder stands for; None for one that is not ours."""
        kind, colon, parameter = name.partition(":")
        if name == "source-path" and self.source_path is not None:
            return [self.source_path]
        if name in {"parameters", "params"}:
            return [word for item in self.parameters.values() for word in self._arguments(item)]
        if colon and kind == "parameter" and parameter in self.parameters:
            return self._arguments(self.parameters[parameter])
        if colon and kind == "parameter-value" and parameter in self.values:
            return [str(self.values[parameter])]
        return None

    def _arguments(self, item: ParameterItem) -> list[str]:
        return item.arguments(self.values.get(item.name))


class _Quoted:
    """Text for something that is no shell: values stand in quotes as a shell would have them, which most languages
    understand, and what such a language could take for more than a value is refused."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def __str__(self) -> str:
        return "".join(self.parts)

    def text(self, text: str) -> None:
        """The user's own text follows."""
        self.parts.append(text)

    def words(self, words: list[str], *, what: str) -> None:
        """These words follow."""
        if any(re.search(r"[\\'\"\n]", word) for word in words):
            raise BadInput(
                f"the value of {what} holds quotes, backslashes or line breaks, which only a shell's command can take; "
                "let the program read VH_CONFIG_DIR/parameters.json",
                key="command",
            )
        shell = ShellText()
        shell.words(words, what=what)
        self.parts.append(str(shell))


def interpreter(script: str) -> list[str]:
    """The words of a first line `#!...`, as the kernel takes them: a program and at most one argument."""
    line = script.partition("\n")[0]
    return line[2:].strip().split(None, 1) if line.startswith("#!") else []


def is_for_shell(script: str) -> bool:
    """Whether a shell reads the script, by its first line."""
    words = interpreter(script)
    if not words:
        return True
    last = words[-1].split()[-1:] if words[0].endswith("/env") else words[:1]
    return bool(last) and last[0].rpartition("/")[2] in _SHELLS


def join_commands(commands: Sequence[str]) -> str:
    """One script that runs the commands in turn and ends with the first that fails.

    A `#!` line at the very beginning stays a line of its own; what runs under an interpreter that is no shell is
    joined by line breaks.
    """
    first, rest = "", list(commands)
    if rest and rest[0].startswith("#!"):
        first, _, rest[0] = rest[0].partition("\n")
    kept = [text for text in rest if any(_counts(line) for line in text.splitlines())]
    if first and not is_for_shell(first):
        return "\n".join([first, *kept])
    joined = kept[0] if len(kept) == 1 else " && ".join(_grouped(kept))
    return f"{first}\n{joined}" if first else joined


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


def _grouped(commands: Sequence[str]) -> Iterator[str]:
    """Each command such that `&&` after it means all of it: in braces where it is more than one plain command."""
    for text in commands:
        yield text if _SIMPLE.fullmatch(text) else f"{{ {text}\n}}"
