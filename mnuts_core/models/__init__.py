"""Base classifiers: found by name, loaded without running anything, and asked for checked answers."""
