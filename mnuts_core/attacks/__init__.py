"""Attacks: APGD with margins recorded at every step, and the minimum-margin attack built on it."""
