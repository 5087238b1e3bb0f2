"""Models: where they come from, how they are loaded, and the one place where their answers are checked."""
