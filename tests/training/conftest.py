"""Whether any of the processes that a test has started is still there."""

import os
import select

import pytest


@pytest.fixture
def alive():
    """A pipe that every process started from here holds open: it ends when the last of them does."""
    receive, send = os.pipe()

    class Alive:
        holder = send

        def said(self, count: int) -> bytes:
            """The next bytes written to the pipe by any process."""
            return b"".join(os.read(receive, 1) for _ in range(count) if select.select([receive], [], [], 20)[0])

        def all_gone(self) -> bool:
            os.close(send)
            Alive.holder = None
            ready = select.select([receive], [], [], 10)[0]
            return bool(ready) and os.read(receive, 1) == b""

    yield Alive()
    os.close(receive)
    if Alive.holder is not None:
        os.close(send)
