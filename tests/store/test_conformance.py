from __future__ import annotations

from pathlib import Path

import pytest

from rung.store.memory import MemoryStore
from rung.store.sqlite import SqliteStore
from rung.testing.stores import Connect, StoreConformance


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def connect(self) -> Connect:
        store = MemoryStore()
        return lambda: store


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    def connect(self, tmp_path: Path) -> Connect:
        return lambda: SqliteStore(f"sqlite:///{tmp_path}/runs/rung.db")
