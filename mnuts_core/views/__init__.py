"""What there is to see, as records of arrays: computed here, drawn elsewhere."""
