"""The command line: each subcommand parses, calls one core function, prints, and returns.

Results go to standard output, all else to standard error. Importing this package does not import torch:
commands import what they need when they run.
"""

from mnuts_core.cli.app import main

__all__ = ["main"]
