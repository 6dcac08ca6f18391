"""Where the log is kept; `base.py` says what a store promises."""
