"""How long every stage took when it last ran here, for make times. Times differ from run to run, so they are no output
of a stage."""

import sys

from winnow.errors import UserError
from winnow.storage import load_table

TIMES = ".winnow/times.csv"  # winnow.stages._stage writes a line for each run of a stage


def processor_seconds() -> dict[str, float]:
    """Of every stage's last run, on all cores, by its name. Raises UserError if no stage has run."""
    table = load_table(TIMES, ["stage", "processor_seconds"])
    return dict(zip(table["stage"], table["processor_seconds"], strict=True))


def in_words() -> str:
    """Seconds of every stage's own work, without imports and DVC, the longest first. Raises UserError if there are
    none."""
    table = load_table(TIMES).drop_duplicates("stage", keep="last").sort_values("seconds", ascending=False)
    width = max(map(len, table["stage"]))
    lines = [f"{'stage':{width}}  seconds  on all cores"]
    lines += [
        f"{stage:{width}}  {seconds:7.1f}  {processor:12.1f}"
        for stage, seconds, processor in table[["stage", "seconds", "processor_seconds"]].itertuples(index=False)
    ]
    return "\n".join([*lines, f"{'all':{width}}  {'':7}  {table['processor_seconds'].sum():12.1f}"])


if __name__ == "__main__":
    try:
        print(in_words())
    except UserError:
        sys.exit(f"error: {TIMES}: no stage has run here yet; make repro runs all")
