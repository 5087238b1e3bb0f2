"""Tests in a real browser; a package, so that its fixtures may live as long as it does."""
