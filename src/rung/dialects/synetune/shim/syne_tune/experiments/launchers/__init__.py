"""Command lines of experiments: methods by seeds on benchmark definitions, one after another."""
