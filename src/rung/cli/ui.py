"""`rung ui`: the web page and the REST API."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rung.cli.options import find, place_options, say, store_at

if TYPE_CHECKING:
    from rung.api.places import Places
    from rung.server.sessions import Tokens

PORT = 8585
HOST = "127.0.0.1"


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, metavar="N", help=f"0 takes any free one [{PORT}]."
)
@click.option(
    "--host",
    default=HOST,
    metavar="ADDRESS",
    help=f"Where to listen [{HOST}: this machine alone]. Any other address lets the network in: prefer ssh -L.",
)
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME[:PORT]",
    help="Another address that a browser may ask for: where ssh -L or a proxy leads here (https://NAME for TLS).",
)
@click.option("--read-only", is_flag=True, help="Nobody can change anything, whatever their token.")
@click.option("--new-tokens", is_flag=True, help="Make new tokens first: old links and logins end.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser (none is opened but on a desktop).")
@place_options
@click.pass_context
def ui(
    context: click.Context, port: int, host: str, allowed: tuple[str, ...], *, read_only: bool, new_tokens: bool,
    no_browser: bool, store: str | None, directory: str | None,
) -> None:  # fmt: skip
    """Serve the web page and the REST API of the studies in a store, until Ctrl-C.

    Prints the address to open, with the token that logs in. Whoever has that address can do to the studies what you
    can do. docs/page-security.md says what is protected against what.
    """
    from rung.model import BadInput

    try:
        from rung.server.app import guarded
        from rung.server.pages import Pages
        from rung.server.serve import bound, is_private, origins, serve
        from rung.server.sessions import Access, forget_tokens, tokens_of
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"litestar", "uvicorn", "h11"}:
            raise
        raise BadInput(f"the web page needs more packages ({error.name}): pip install 'rung[ui]'") from error
    from rung.server.site import Site

    places = find(directory, store)
    site = Site(store_at(places.store), places, Path.cwd())
    with bound(host, port) as listening:
        port = listening.getsockname()[1]
        hosts = origins(listening, host, allowed)
        if new_tokens:
            forget_tokens(places.runs)
        tokens = tokens_of(places.runs)
        pages = Pages()
        app = guarded(site, access=Access(tokens, read_only=read_only), hosts=hosts, pages=pages, port=port)
        origin = next(iter(hosts.values()))
        address = _link(origin, tokens.read if read_only else tokens.control)
        click.echo(address)
        sys.stdout.flush()
        _explain(places, tokens, origin=origin, read_only=read_only, built=pages.built)
        if not is_private(listening):
            _warn(port)
        if not no_browser and pages.built and _is_desktop():
            _open(address, tokens)
        context.exit(serve(app, listening))


def _link(origin: str, token: str) -> str:
    """An address that logs in. What stands behind `#` is never sent anywhere, and the page removes it."""
    return f"{origin}/#token={token}"


def _explain(places: Places, tokens: Tokens, *, origin: str, read_only: bool, built: bool) -> None:
    say(f"serving {places.store}{', for reading only' if read_only else ''}; Ctrl-C ends it, and no study with it")
    if not built:
        say("the page itself is not in this installation: pip install --force-reinstall 'rung[ui]' (or `make web`)")
    if not read_only:
        say(f"to let others look: {_link(origin, tokens.read)}")
    if tokens.folder is None:
        say(f"no tokens can be kept in {places.runs}: these end with this server")


def _warn(port: int) -> None:
    import socket

    say(
        "WARNING: the network reaches this server. Whoever has the token can start programs as you, and everything, "
        "the token too, crosses the network unencrypted. Safer: leave out --host, and on the other machine\n"
        f"  ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}\n"
        "or put a proxy with TLS in front (--allow-host https://NAME)."
    )


def _is_desktop() -> bool:
    """Whether somebody sits before a screen here who has started this by hand."""
    if not sys.stderr.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(address: str, tokens: Tokens) -> None:
    """A browser is asked to show the page. It gets the name of a file that leads there: the words of a command are
    readable to all on this machine."""
    import threading
    import webbrowser

    if tokens.folder is None:
        return
    path = tokens.folder / "open.html"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={address}"><title>Rung</title>\n')
    click.get_current_context().call_on_close(lambda: path.unlink(missing_ok=True))
    threading.Thread(target=webbrowser.open, args=(path.as_uri(),), daemon=True).start()


COMMANDS = {"ui": ui}
