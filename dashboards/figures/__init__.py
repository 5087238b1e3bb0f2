"""Figures as plain Plotly JSON over the records of `mnuts_core.views`; nothing is computed here."""
