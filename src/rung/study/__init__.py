"""The log of a study: events, their fold, and what follows from it."""
