"""The views: one route each, made from the signature of its function."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State as Shared
from litestar.exceptions import ValidationException
from litestar.params import Parameter

from rung.analysis.views import View, find_view, views
from rung.analysis.views.options import Option, chosen, result_of
from rung.model import BadInput
from rung.server.answers import answers_of
from rung.server.site import Site

PATH = "/api/studies/{study:str}/views"
Asked = Request[Any, Any, Any]


class ViewSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A view: its name, and what it shows."""

    name: str
    about: str


@get("/api/views", sync_to_thread=False)
def list_views() -> list[ViewSummary]:
    """The views there are, in the order in which a person looks at them."""
    return [ViewSummary(name=view.name, about=view.about) for view in views().values()]


def view_handler(view: View) -> Any:
    """The route of one view, whose parameters are the view's options, and whose answer is its record."""

    def answer(**given: Any) -> Response[bytes]:
        site: Site = given["state"].site
        query = _query(given["request"], view)
        options = chosen(view.make, query, view=view.name)
        watched = site.study(given["study"])
        body = answers_of(watched).answer(watched, view, options)
        return Response(body, media_type="application/json")

    record = result_of(view.make)
    types: dict[str, Any] = {"study": str, "request": Asked, "state": Shared}
    types |= {option.name: _parameter(option) for option in view.options}
    defaults = {option.name: _default(option) for option in view.options}
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=kind,
            default=defaults.get(name, inspect.Parameter.empty),
        )
        for name, kind in types.items()
    ]
    answer.__signature__ = inspect.Signature(parameters, return_annotation=record)  # type: ignore[attr-defined]
    answer.__annotations__ = {**types, "return": record}
    answer.__name__ = answer.__qualname__ = f"view_{view.name}"
    answer.__doc__ = inspect.getdoc(view.make)
    return get(
        f"{PATH}/{view.name}",
        sync_to_thread=True,
        name=f"view_{view.name}",
        summary=view.about,
        exception_handlers={ValidationException: explained(view)},
    )(answer)


def _parameter(option: Option) -> Any:
    """How the option is described in OpenAPI. A list is one text with commas: names may come in any number."""
    kind: Any = str if option.many else Literal[option.words] if option.words else option.kind
    default = _default(option)
    if default is None:
        kind = typing.Optional[kind]  # noqa: UP045 - `kind` is a value here
    bounded = kind in {int, float}
    described = Parameter(
        query=option.name,
        required=False,
        default=default,
        description=_described(option),
        ge=option.least if bounded else None,
        le=option.most if bounded else None,
    )
    return Annotated[kind, described]


def _default(option: Option) -> Any:
    """The default as the query has it: a list as text, and no text for None."""
    if isinstance(option.default, list | tuple):
        return ",".join(map(str, option.default))
    return "" if option.default is None and (option.kind is str or option.many) else option.default


def _described(option: Option) -> str:
    return f"{option.about} Expected: {option.expects}.".strip() if option.many else option.about


def _query(request: Asked, view: View) -> dict[str, str]:
    """The options as text. Raises `BadInput` for one that is given twice."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise BadInput("is given twice", place=f"view {view.name}", key=name)
        found[name] = value
    return found


def explained(view: View) -> Callable[[Asked, ValidationException], Response[dict[str, Any]]]:
    """A value that does not fit its type, in the words that the other doors use."""

    def explain(request: Asked, error: ValidationException) -> Response[dict[str, Any]]:
        line = f"view {view.name}: {error.detail}"
        try:
            chosen(view.make, _query(request, view), view=view.name)
        except BadInput as bad:
            line = str(bad)
        return Response({"status_code": 400, "detail": line}, status_code=400)

    return explain


@get(PATH + "/{view:str}", sync_to_thread=False, include_in_schema=False)
def unknown_view(study: str, view: str) -> None:  # noqa: ARG001 - part of the address
    """A view that there is not. Raises `BadInput` with the nearest one."""
    find_view(view)


HANDLERS: tuple[Any, ...] = (list_views, *(view_handler(view) for view in views().values()), unknown_view)
