"""The command line: each subcommand parses, calls one core function, prints, and returns."""
