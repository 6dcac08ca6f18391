"""Optuna's storages by their addresses, as Optuna's own command line reads them."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.mirrors.address import is_path
from rung.model import BadInput
from rung.search.optuna import library

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 10  # how long a server is waited for
EXTRA = "pip install 'rung[optuna]'"
_POSTGRES = {"psycopg": "postgresql+psycopg", "psycopg2": "postgresql+psycopg2"}
_REDIS = ("redis://", "rediss://", "unix://")


class Storage:
    """A storage that can be opened. The constructor raises `BadInput` for an address that names none, and where its
    driver is not installed."""

    def __init__(self, url: str, *, place: str) -> None:
        self.place = place
        library()
        self._open: Callable[[], Any]
        if url.startswith(_REDIS):
            self._check_redis()
            self._open = partial(_redis, url)
        elif url.startswith("journal:///"):
            self._open = partial(_journal_file, url.removeprefix("journal:///"))
        elif is_path(url):
            self._open = partial(_journal_file, url)
        else:
            self._open = partial(_database, self._with_driver(url))

    def open(self) -> Any:
        """An Optuna storage. Raises `BadInput` where its driver, or the version of its tables, is not the one needed,
        whatever the driver raises where it cannot be reached."""
        try:
            return self._open()
        except ImportError as error:
            raise BadInput(f"its driver is not installed: {_line(error)}", place=self.place) from None
        except RuntimeError as error:  # tables of another version of Optuna
            raise BadInput(_line(error), place=self.place) from None

    def _check_redis(self) -> None:
        if find_spec("redis") is None:
            raise BadInput(f"redis is not installed: {EXTRA}", place=self.place)

    def _with_driver(self, url: str) -> str:
        """The address for SQLAlchemy; of PostgreSQL's drivers the one that is installed."""
        from sqlalchemy import exc, make_url  # comes with optuna

        scheme, _, rest = url.partition("://")
        if scheme in {"postgresql", "postgres"}:
            drivers = [dialect for module, dialect in _POSTGRES.items() if find_spec(module) is not None]
            if not drivers:
                raise BadInput(f"no driver of PostgreSQL is installed: {EXTRA}", place=self.place)
            url = f"{drivers[0]}://{rest}"
        try:
            make_url(url).get_dialect()
        except exc.ArgumentError:
            raise BadInput(
                "not a storage of Optuna: expected sqlite:///FILE, postgresql://..., redis://... or a journal's file",
                place=self.place,
            ) from None
        except ImportError as error:
            raise BadInput(f"its driver is not installed: {_line(error)}", place=self.place) from None
        return url


def close(storage: Any) -> None:
    """What `Storage.open` gave is released."""
    if hasattr(storage, "engine"):
        storage.remove_session()
        storage.engine.dispose()


def _database(url: str) -> Any:
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": TIMEOUT_S}
    elif url.startswith(("postgresql", "mysql")):
        options["connect_args"] = {"connect_timeout": TIMEOUT_S}
    return library().storages.RDBStorage(url, engine_kwargs=options)


def _redis(url: str) -> Any:
    library()
    from optuna.storages.journal import JournalRedisBackend

    server, _, given = url.partition("?")
    options = [option for option in given.split("&") if option]
    named = {option.partition("=")[0] for option in options}
    options += [f"{name}={TIMEOUT_S}" for name in ("socket_timeout", "socket_connect_timeout") if name not in named]
    return _journal(JournalRedisBackend(f"{server}?{'&'.join(options)}"))


def _journal_file(path: str) -> Any:
    library()
    from optuna.storages.journal import JournalFileBackend

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return _journal(JournalFileBackend(path))


def _journal(backend: Any) -> Any:
    return library().storages.JournalStorage(backend)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
