"""`main` under its newer name."""

from .hpo_main_local import main

__all__ = ["main"]
