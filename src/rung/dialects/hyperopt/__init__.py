"""hyper_opt: its configurations as studies, and what its programs expect to find."""
