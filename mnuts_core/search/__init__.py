"""Algorithm 1: the grid, the search over it, its result, the frontier over all β; and the direct search."""
