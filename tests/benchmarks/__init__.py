"""Benchmarks: run with `make bench`, never as timed tests. Sizes are synthetic, and labelled so."""
