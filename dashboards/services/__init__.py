"""What a page asks of its kernel: bundles, verification, files."""
