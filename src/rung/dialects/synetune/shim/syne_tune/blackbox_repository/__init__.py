"""Tabulated benchmarks: their tables need downloads, so none is here."""

from .._missing import missing, refusal

_WAY = (
    "its tables are downloads; put yours into a file and run `rung simulate STUDY.yaml --table TABLE.csv --workers N`"
)

BlackboxRepositoryBackend = refusal("BlackboxRepositoryBackend", _WAY)
UserBlackboxBackend = refusal("UserBlackboxBackend", _WAY)
__getattr__ = missing(__name__, {"load_blackbox": _WAY, "add_surrogate": _WAY})
