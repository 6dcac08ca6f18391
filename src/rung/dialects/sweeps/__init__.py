"""Search spaces of other tuners that are a file and little more, one module each."""
