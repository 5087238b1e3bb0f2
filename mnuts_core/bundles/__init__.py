"""Logit bundles: the file, its manifest, how logits of other forms become one, and where bundles lie."""
