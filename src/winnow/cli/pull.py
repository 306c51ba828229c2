"""winnow pull: what it says."""

from collections.abc import Sequence

from winnow.repro.pull import Options
from winnow.repro.pull import pull as pull_checked

SHOWN = 20  # paths of a kind


def pull(targets: Sequence[str], options: Options) -> int:
    """Pull, and print what came and what did not. Returns 1 if an output is not whole."""
    found = pull_checked(targets, options)
    print(f"{found.fetched} objects fetched")
    for about, paths in (("damaged on the remote", found.damaged), ("not on the remote", found.missing)):
        for path in paths[:SHOWN]:
            print(f"{about}: {path}")
        if len(paths) > SHOWN:
            print(f"{about}: and {len(paths) - SHOWN} more")
    if found.left:
        print(f"left as they were: {', '.join(found.left)}; dvc repro makes them, and dvc push sends them")
    if found.damaged and options.mend:
        print("what was damaged is removed from the remote; dvc push, where it is whole, puts it back")
    elif found.damaged:
        print("dvc push replaces what is damaged only after winnow pull --mend, which removes it from the remote")
    return 1 if found.left else 0
