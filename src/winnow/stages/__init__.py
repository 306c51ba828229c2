"""The stages of dvc.yaml: one script for each."""

import os
import signal
import sys

from winnow.orphans import end_with_parent

INTERRUPTED = "interrupted; make repro, or dvc repro, goes on from here"


def end_at_once(*_: object) -> None:
    """Handle Ctrl-C during a script's own imports: without a traceback, which helps nobody there."""
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(1)


# Before a script's own imports: they take seconds, and the process that started the stage may be killed meanwhile.
if "DVC_STAGE" in os.environ:
    end_with_parent(os.getppid())
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background it is ignored
        signal.signal(signal.SIGINT, end_at_once)
