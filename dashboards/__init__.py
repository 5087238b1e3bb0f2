"""The dashboards: state, figures, widgets and the server of the MixedNUTS explorer."""
