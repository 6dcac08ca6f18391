"""Simulated trials: see `simulator_callback`."""
