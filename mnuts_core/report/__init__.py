"""The paper's main claims on a bundle: Fig. 5 and Table 1, what reproduces, and the files that tell it."""
