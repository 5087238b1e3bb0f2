"""The server: Voilà with our template, limits and handlers."""
