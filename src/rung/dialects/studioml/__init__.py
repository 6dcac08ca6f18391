"""StudioML: its command lines as studies, and what its programs expect to find."""
