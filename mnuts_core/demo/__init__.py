"""The demonstration pairs that the project makes itself: recipe, networks, bundle."""
