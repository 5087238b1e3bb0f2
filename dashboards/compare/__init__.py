"""The comparison of several bundles."""
