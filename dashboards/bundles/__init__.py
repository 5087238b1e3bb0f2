"""The bundles that an app has open, and the verified mixes known for them."""
