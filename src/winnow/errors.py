"""UserError, the exception for a mistake that the user can correct."""

import os


class UserError(Exception):
    """A mistake in the params, the data or the environment, told in one line that names the key or the file.

    The stage scripts print its text after ``error:`` and exit with status 1, without a traceback.
    """


def describe(error: OSError) -> str:
    """An error of the operating system (a full disk, an unreadable file) in one line."""
    where = f"{error.filename}: " if error.filename else ""
    what, reason = error.strerror or str(error), os.strerror(error.errno) if error.errno else ""
    return f"{where}{what}" if reason in what else f"{where}{what}: {reason}"  # diskcache gives words of its own
