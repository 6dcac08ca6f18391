"""Conformance suites and worlds for tests, shipped with the package."""
