"""Widgets and helpers that all apps share."""
