"""The one exception that means: the user can mend this."""


class UserError(Exception):
    """A mistake in the params, the data or the environment, told in one line that names the key or the file.

    The stage scripts print its text after ``error:`` and exit with status 1, without a traceback.
    """


def describe(error: OSError) -> str:
    """An error of the operating system (a full disk, a file that may not be read) in one line."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
