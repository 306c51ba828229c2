"""UserError, the exception for a mistake that the user can correct."""


class UserError(Exception):
    """A mistake in the params, the data or the environment, told in one line that names the key or the file.

    The stage scripts print its text after ``error:`` and exit with status 1, without a traceback.
    """


def describe(error: OSError) -> str:
    """An error of the operating system (a full disk, an unreadable file) in one line."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
