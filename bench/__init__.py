"""Side-by-side measurements of Rung and other tuners: `make bench`. Never part of the tests (BENCHMARKS: machinery)."""
