"""Templates of `rung asme optimize`: Jinja2 in its sandbox, rendered to JSON."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rung.model import BadInput

if TYPE_CHECKING:
    import jinja2

_MISSING = "templates need the package `Jinja2`: pip install 'rung[asme]'"


def rendered(template: str, values: Any) -> Any:
    """The JSON that the template gives with the keys of `values` as its variables.

    Raises:
        BadInput: it cannot be read or rendered, prints a variable that there is not, or gives no JSON.
    """
    if not isinstance(values, dict):
        raise BadInput("the resolved configuration is one value, which has no keys to render a template with")
    text = _rendered(_compiled(template), values)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = text.splitlines()[error.lineno - 1].strip() if text else ""
        raise BadInput(
            f"the rendered template is not JSON: {error.msg} in line {error.lineno}, {line!r:.80}; "
            "write values that are no numbers as {{ name | tojson }}"
        ) from None
    except (RecursionError, ValueError):
        raise BadInput("the rendered template is JSON that is nested too deeply, or holds too long a number") from None


@lru_cache(maxsize=8)
def _compiled(template: str) -> jinja2.Template:
    try:
        import jinja2  # optional: of the extra asme
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise BadInput(_MISSING) from None

    class Strict(jinja2.Undefined):
        """May be asked for, as in `{% if x %}`, but not printed."""

        __str__ = jinja2.Undefined._fail_with_undefined_error

    try:
        return ImmutableSandboxedEnvironment(undefined=Strict, keep_trailing_newline=True).from_string(template)
    except jinja2.TemplateSyntaxError as error:
        raise BadInput(f"the template cannot be read: line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise BadInput("the template is nested too deeply") from None


def _rendered(template: jinja2.Template, values: dict[str, Any]) -> str:
    try:
        return template.render(values)
    except Exception as error:  # whatever its own expressions raise
        what = " ".join(str(error).split())
        raise BadInput(f"the template cannot be rendered: {what or type(error).__name__}") from error
