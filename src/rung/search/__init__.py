"""Searchers: one file an algorithm."""
