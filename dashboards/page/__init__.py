"""A whole app as one HTML file: modules packed into scripts, bundles into JSON, all of it into a template."""
