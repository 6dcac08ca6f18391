"""How few trials each tuner needs: `make bench-quality` (BENCHMARKS: search quality). Never part of the tests."""
