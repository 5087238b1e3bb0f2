"""Long computations over models and images, in batches that survive a kill: build and verify."""
