"""The widget that holds all plots and draws them in one go."""
