"""Syne Tune: its scripts, definitions and launchers as studies, and what its programs expect to find."""
