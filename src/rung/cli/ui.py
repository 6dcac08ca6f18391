"""`rung ui`: the web page and the REST API."""

from __future__ import annotations

from pathlib import Path

import click

from rung.cli.options import find, place_options, say, store_at

PORT = 8585


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, metavar="N", help=f"0 takes any free one [{PORT}]."
)
@place_options
def ui(port: int, *, store: str | None, directory: str | None) -> None:
    """Serve the web page and the REST API of the studies in a store, until Ctrl-C."""
    from rung.model import BadInput

    try:
        from rung.server.serve import serve
    except ImportError as error:
        raise BadInput(f"the web page needs more packages ({error.name}): pip install 'rung[ui]'") from error
    from rung.server.site import Site

    places = find(directory, store)
    site = Site(store_at(places.store), places, Path.cwd())
    say(f"the page is at http://127.0.0.1:{port}/")
    serve(site, host="127.0.0.1", port=port)


COMMANDS = {"ui": ui}
