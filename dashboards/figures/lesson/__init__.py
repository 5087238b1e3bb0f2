"""The lesson's figures."""
