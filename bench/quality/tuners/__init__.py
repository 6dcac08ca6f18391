"""One adapter a tuner; each runs in that tuner's own environment and speaks the protocol of `serve.py`."""
