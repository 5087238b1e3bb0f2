"""Shipped bundles, weights and configurations; imported as `mnuts_data` so that a wheel finds them."""
