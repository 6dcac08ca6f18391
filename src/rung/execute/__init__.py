"""Where jobs run: the contract (`base.py`) and the executors that keep it."""
