"""Random streams that depend on nothing but the numbers they are named by, not on batches or their order."""

from __future__ import annotations

import numpy as np
import torch


def generator(*entropy: int) -> torch.Generator:
    """A generator whose stream belongs to these numbers alone.

    Args:
        *entropy: Non-negative integers, such as seed, example and attack.
    """
    state = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]) >> 1)
