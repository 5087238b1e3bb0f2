"""The colours of the classifiers, the same in every figure, the dashboards' included.

The palette is Okabe and Ito's (2008), which stays apart for colour-blind readers and on dark and light.
"""

from __future__ import annotations

STD = "#E69F00"
ROB = "#0072B2"
PLAIN = "#CC79A7"
MIX = "#009E73"
"""Standard, robust, plain mix, MixedNUTS."""
OTHER = "#56B4E9"
"""Other methods that are shown beside them."""
