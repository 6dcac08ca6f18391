"""Determined: its experiment configurations as studies, and what its programs expect to find."""
