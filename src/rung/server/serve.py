"""Running the server until a signal ends it: which socket, under which names, and how long it waits for whom."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import uvicorn
from litestar.concurrency import set_asyncio_executor

from rung.model import BadInput
from rung.server.connections import Connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from rung.server.security import Application

BACKLOG = 64
HEADER_BYTES = 65_536  # a filter expression stands in the address
IDLE_S = 15
GRACE_S = 1  # for answers that are under way when a signal comes
LAST_S = 3.0  # then the process ends, whatever still computes: nothing of it has been promised to anybody
THREADS = 16
_ORIGIN = re.compile(r"(?:(https?)://)?([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?/?", re.ASCII)
_STANDARD = {"http": 80, "https": 443}
_WORKER = "rung-answer"


# ------------------------------------------------------------------------------------------------------------ addresses


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one. Raises `BadInput`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror:
        raise BadInput(f"{host!r} is no address of this machine", place="--host") from None
    except PermissionError:
        raise BadInput(f"port {port} is not for users: give one from 1024 on", place="--port") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"port {port} is taken, perhaps by another `rung ui`; 0 takes any free one", place="--port"
            ) from None
        raise BadInput(f"{host!r} is no address of this machine", place="--host") from None


def is_private(listening: socket.socket) -> bool:
    """Whether only this machine reaches the socket."""
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def origins(listening: socket.socket, host: str, allowed: Iterable[str] = ()) -> dict[str, str]:
    """The origins under which the page may be asked for, by the `Host` that a browser sends for each, the first one
    being the one to show. Raises `BadInput` for one of `allowed` that is no `[SCHEME://]NAME[:PORT]`."""
    port: int = listening.getsockname()[1]
    return dict(
        [_origin("http", name, port) for name in _names(listening, host)] + [_allowed(a, port) for a in allowed]
    )


def _names(listening: socket.socket, host: str) -> Iterator[str]:
    address = ipaddress.ip_address(listening.getsockname()[0])
    if address.is_unspecified:
        yield socket.gethostname()
    else:
        yield f"[{address}]" if address.version == 6 else str(address)
        if not _is_address(host):
            yield host
    if address.is_loopback or address.is_unspecified:
        yield from ("127.0.0.1", "localhost", "[::1]")
    if address.is_unspecified:
        for addresses in psutil.net_if_addrs().values():
            for found in addresses:
                if found.family == socket.AF_INET:
                    yield found.address
                elif found.family == socket.AF_INET6 and "%" not in found.address:  # a browser cannot ask for a zone
                    yield f"[{found.address}]"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _allowed(text: str, port: int) -> tuple[str, str]:
    shape = _ORIGIN.fullmatch(text)
    if shape is None:
        raise BadInput(f"expected NAME, NAME:PORT or https://NAME, got {text!r}", place="--allow-host")
    scheme, name, own = shape.groups()
    given = int(own) if own else _STANDARD[scheme] if scheme else port
    return _origin(scheme or "http", name, given)


def _origin(scheme: str, name: str, port: int) -> tuple[str, str]:
    host = name.lower() if port == _STANDARD[scheme] else f"{name.lower()}:{port}"
    return host, f"{scheme}://{host}"


# -------------------------------------------------------------------------------------------------------------- serving


class Server(uvicorn.Server):
    """Serves until SIGINT or SIGTERM, and ends at once then: streams have no end that one could wait for."""

    def __init__(self, app: Application) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                log_level="critical",  # the guard says what went wrong in a route, and clients' errors are theirs
                access_log=False,
                server_header=False,
                proxy_headers=False,  # anybody can write them
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=GRACE_S,
                h11_max_incomplete_event_size=HEADER_BYTES,
                backlog=BACKLOG,
            )
        )
        self.ended_by: int | None = None
        self._last = threading.Timer(LAST_S, self._end)
        self._last.daemon = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The server ends; at the second signal without regard to answers under way."""
        if self.ended_by is None:
            self.ended_by = sig
            self._last.start()
        else:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams are cut; what else is under way gets its moment."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.cut_stream()
        await super().shutdown(sockets)

    @property
    def code(self) -> int:
        """The exit code: 130 or 143 after a signal, else 0."""
        return 0 if self.ended_by is None else 128 + self.ended_by

    def settled(self) -> None:
        """The process may go on: nothing computes any more."""
        self._last.cancel()

    def _end(self) -> None:
        os._exit(self.code)


def serve(app: Application, listening: socket.socket) -> int:
    """The exit code (130, 143), when a signal has ended it."""
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix=_WORKER)
    set_asyncio_executor(pool)
    server = Server(app)
    try:
        asyncio.run(server.serve(sockets=[listening]))
    finally:
        set_asyncio_executor(None)
        pool.shutdown(wait=False, cancel_futures=True)
    workers = [thread for thread in threading.enumerate() if thread.name.startswith(_WORKER)]
    for thread in workers:
        thread.join(GRACE_S / len(workers))
    if not any(thread.is_alive() for thread in workers):
        server.settled()
    return server.code
