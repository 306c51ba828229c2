"""Code whose hash test_code.py knows; it runs nowhere."""

import os  # noqa: F401

VALUES = {"a": 1, "b": [2.5, None]}


class Kind:
    """About the class."""

    size: int = 3

    async def later(self):
        """About the method."""
        return f"{self.size!r:>10}"


def pick(rows, *, first=True):
    """About the function."""
    chosen = [row for row in rows if row not in (0, None)]
    return chosen[0] if first else chosen
