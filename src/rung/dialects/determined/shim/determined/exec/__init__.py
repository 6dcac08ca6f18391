"""What is run in place of a program: the harness of trial classes."""
