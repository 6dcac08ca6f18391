"""Valohai: its valohai.yaml as studies, and what its programs expect to find."""
