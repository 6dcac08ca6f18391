"""The front door: what the command line and Python programs call."""
