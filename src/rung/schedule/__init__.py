"""Schedulers: one file a rule."""
