"""The mathematics of the paper as pure functions: arrays or tensors in, arrays or tensors out."""
