"""Launchers: each starts one process, since a trial is one."""
