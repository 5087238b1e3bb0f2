"""Whether two models and their images are fit for a build, in about a minute, before hours are spent."""
