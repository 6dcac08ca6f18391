"""Schedulers and searchers by their names; each is carried out by one of Rung's."""
