"""Algorithm 1: the grid, the search over it, its result and the frontier over all levels β."""
