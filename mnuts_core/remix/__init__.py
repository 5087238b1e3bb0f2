"""The engine that mixes cached logits anew whenever a parameter moves."""
