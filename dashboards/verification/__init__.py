"""Attacking a mix from the page: the panel, the run and the process that attacks."""
