"""Ctrl-C while a stage's script still imports what it needs, which takes seconds."""

import os
import signal
import subprocess
import sys

IMPORTS = "import winnow.stages, time; print('begun', flush=True); time.sleep(100)"


def interrupted(handler: object) -> tuple[int, str]:
    """How a script ends that gets Ctrl-C and then SIGTERM, and what it prints. handler: of SIGINT, when it starts."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", IMPORTS],
            env={**os.environ, "DVC_STAGE": "early@a"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        if handler is signal.SIG_IGN:
            process.terminate()
        printed = process.communicate(timeout=60)[0]
    return process.returncode, printed


def test_one_line_is_told_and_no_traceback() -> None:
    status, printed = interrupted(signal.default_int_handler)
    assert (status, printed) == (1, "interrupted; make repro, or dvc repro, goes on from here\n")


def test_a_job_in_the_background_goes_on() -> None:
    assert interrupted(signal.SIG_IGN) == (-signal.SIGTERM, "")
