"""The command: python -m winnow.repro [-j STAGES] [TARGET …]."""

# Every stage process imports this module again (multiprocessing does so), so other imports wait until they are used.
import argparse
import atexit
import os
import re
import sys


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m winnow.repro", description="dvc repro, several stages at once")
    parser.add_argument("targets", nargs="*", help="stages, with all that they depend on; every stage if left out")
    parser.add_argument("-j", "--jobs", type=int, help="stages at once; one more than there are cores if left out")
    options = parser.parse_args(arguments)
    # on a full disk Python would leave half a file of bytecode, which every later run trips over
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if parent := os.environ.pop("WINNOW_PARENT", ""):  # a command of winnow that runs several projects
        from winnow.orphans import end_with_parent

        end_with_parent(int(parent))
    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs: {options.jobs}: must be a whole number above 0 (make repro JOBS=2)")

    try:
        from winnow import cores
        from winnow.errors import UserError
        from winnow.repro.scheduler import repro

        return repro(options.targets, options.jobs, cores.available())
    except KeyboardInterrupt:  # before UserError, which may not be imported yet
        print("interrupted; make repro goes on from here", file=sys.stderr)
        return 130
    except UserError as error:
        print(f"error: {_in_our_words(str(error))}", file=sys.stderr)
        return 1


def _in_our_words(error: str) -> str:
    """The schema's message, if DVC says only that it cannot fill in dvc.yaml. That happens if a key is misspelt or was
    renamed, if a network is not given by name, or if an input is also an output."""
    from winnow.errors import UserError
    from winnow.experiment import load_params

    missing = re.search(r"Could not find '(\w+)", error)  # the section of the key
    if missing or "Cannot interpolate" in error or "both a dependency and an output" in error:
        try:
            load_params()
        except UserError as ours:
            if not missing or re.search(rf"\b{missing[1]}\b", str(ours)):  # else it is about another mistake
                return str(ours)
    return error


if __name__ == "__main__":
    status = main()
    if status:  # the interpreter would try again to release locks of DVC that a full disk kept, and hang or fail
        atexit._run_exitfuncs()
        os._exit(status)
