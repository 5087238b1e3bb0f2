"""MixedNUTS (Bai et al., TMLR 2024): transform, mix, search and attack, without widgets or figures."""
