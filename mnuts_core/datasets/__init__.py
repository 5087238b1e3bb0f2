"""Labelled images by name."""
