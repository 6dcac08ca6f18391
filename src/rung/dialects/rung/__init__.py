"""Our own study file."""
