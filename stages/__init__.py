"""The stages of dvc.yaml, a script each."""

import os
import signal
import sys

from winnow.orphans import end_with_parent

INTERRUPTED = "interrupted; make repro, or dvc repro, goes on from here"


def end_at_once(*_: object) -> None:
    """On Ctrl-C during a script's own imports, of which nobody wants to see a traceback."""
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(1)


# Before a script's own imports, which take seconds: whoever started the stage may be killed in the meantime.
if "DVC_STAGE" in os.environ:
    end_with_parent(os.getppid())
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not so in the background
        signal.signal(signal.SIGINT, end_at_once)
