"""The page under load: what a browser sees of a study of 100,000 trials, and what 50 open pages cost a runner."""
