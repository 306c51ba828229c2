"""Runs a command in a shell, and ends it, with everything that it has started, when the process that wants it ends.

``python -I -S guard.py SHELL COMMAND`` in its own session. Standard input is a pipe; its other end closes when the
process that wants the command ends, even if it is killed. This is a separate script with few imports, so that it starts
in 20 ms.

Another process watches the pipe: if this one is killed, as Ray does with the children of a process that it ends, the
command still ends.
"""

import os
import signal
import sys


def main(shell: str, command: str) -> int:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            os.execv(shell, [shell, "-c", command])
        except OSError as error:
            print(f"error: SHELL: {shell}: {error.strerror}; must be the path of a shell, as /bin/sh", file=sys.stderr)
            sys.stderr.flush()
            os._exit(127)
    watcher = os.fork()
    if watcher == 0:
        os.read(0, 1)
        os.killpg(0, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.kill(watcher, signal.SIGKILL)
    if status < 0:
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
