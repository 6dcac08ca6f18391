"""The web page and the REST API: they read the log, and append requests to it. Loaded by `rung ui` alone."""
