"""The apps: state and services; what is seen is the page's, see `web`."""
