"""A hand-in to RobustBench: all that an entry needs, from a verified configuration; and its check."""
