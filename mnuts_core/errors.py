"""The one exception family: whatever a user may do wrong raises a `MnutsError`, which is a `ValueError`.

Every message names the argument, says what is allowed, what came, and what to do.
"""

from mnuts_core.text import one_line


class MnutsError(ValueError):
    """Something that the caller gave is wrong; the message says what, what is allowed and what to do.

    Whatever a message quotes, of a file or of a library: it is one visible line of bounded length.
    """

    def __str__(self) -> str:
        return one_line(super().__str__())


class ParameterError(MnutsError):
    """A parameter lies outside its interval or has the wrong type."""


class BundleError(MnutsError):
    """A logit bundle is broken, inconsistent or of an unknown version."""


class ConfigError(MnutsError):
    """A configuration file is broken, inconsistent or of an unknown version."""


class WorkFolderError(MnutsError):
    """A work folder belongs to another run, is no work folder, is in use, or cannot be written."""


class Stopped(SystemExit):
    """The process was asked to end. A `SystemExit`, which event loops let through, too.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.code: int = 128 + number
