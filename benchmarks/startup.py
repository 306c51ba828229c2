"""Times every stage from the start of its process until its work begins, against the libraries' imports alone.

    python benchmarks/startup.py [--quick] [--out .bench/startup.json]

Until then a stage imports, checks its params and reads its inputs. Where the work begins is the call of one function,
named below; the process ends at that call, so nothing is computed or written. The floor, in the same turn, is a process
that imports nothing but the libraries without which the stage can not do its work, and ends. The stages run on what
`dvc repro` has left in data/ and plots/, in a folder of their own.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import take_turns

ROOT = Path(__file__).resolve().parents[1]
PARAMS = "pydantic, ruamel.yaml"
TABLES = f"{PARAMS}, pandas, pyarrow.parquet"
TENSORS = f"{PARAMS}, pyarrow.parquet, safetensors.numpy"
NETWORKS = f"{TENSORS}, torch"
TRAINING = f"{NETWORKS}, pandas"  # which writes how a run went; one import before the fork is for all processes

# The stage as DVC names it, its arguments, the first function of its work, and the libraries that it needs
STAGES: dict[str, tuple[list[str], str, str]] = {
    "check": ([], "winnow.stages.check.load_params", PARAMS),
    "download": ([], "winnow.stages.download.build", f"{PARAMS}, numpy"),
    "labels": ([], "winnow.stages.labels.randomise", TABLES),
    "early@a": (["a"], "winnow.stages.early.fit_side_by_side", TRAINING),
    "score_gradients@a-grand": (["a", "grand"], "winnow.scores.gradients.side_by_side", NETWORKS),
    "score": ([], "winnow.stages.score.EarlyRuns", f"{TABLES}, safetensors.numpy"),
    "ntk@a": (["a"], "winnow.scores.velocity.side_by_side", TRAINING),
    "select": ([], "winnow.stages.select.atomic_folder", TABLES),
    "retrain@el2n-0.5": (["el2n", "0.5"], "winnow.stages.retrain.fit_side_by_side", TRAINING),
    "compare": ([], "winnow.stages.compare.accuracy_bands", TABLES),
    "figures": ([], "winnow.stages.figures.accuracy_figure", f"{TABLES}, matplotlib.figure"),
    "dense": ([], "winnow.stages.dense.fit_side_by_side", TRAINING),
    "prune@l1": (["l1"], "winnow.stages.prune.side_by_side", TRAINING),
    "connectivity": ([], "winnow.stages._lines.side_by_side", TRAINING),
    "curvature@l4": (["l4"], "winnow.stages.curvature.side_by_side", f"{NETWORKS}, scipy.sparse.linalg"),
    "tickets": ([], "winnow.stages.tickets.results_of", TRAINING),
    "ticket_figures": ([], "winnow.stages.ticket_figures.tickets_figure", f"{TABLES}, matplotlib.figure"),
}

# Runs a stage as ``python -m winnow.stages.NAME`` does, up to the call of a function; os._exit leaves out clearing up
UNTIL_WORK = """
import importlib, os, sys
stage, function, *sys.argv[1:] = sys.argv[1:]
script = importlib.import_module(stage)
module, _, name = function.rpartition(".")
setattr(importlib.import_module(module), name, lambda *args, **kwargs: os._exit(0))
named = stage.partition(".")[2]
script.main(vars(script).get(f"{named}_stage") or vars(script)[named])
sys.exit(f"{stage} ended before {function} was called")
"""


def run(code: str, arguments: list[str], stage: str, folder: Path) -> None:
    """Run Python code in a process, in the folder; what fails is told as the stage tells it."""
    # with bytecode, as in a user's checkout, whatever this process was told
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"DVC_STAGE": stage, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{stage}: {done.stderr.strip() or done.returncode}")


def make_project(folder: Path) -> None:
    """A folder in which the stages find the project's params and outputs, and leave its own alone."""
    for name in ("params.yaml", "dvc.yaml", "src", "data"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "plots", folder / "plots")  # compare writes there before its work begins


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description="Time what every stage pays before its work begins.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--out", type=Path, default=Path(".bench/startup.json"))
    options = parser.parse_args()
    if not (ROOT / "data" / "scores" / "scores.parquet").exists():
        sys.exit(f"{ROOT / 'data'}: not the outputs of a finished pipeline; run dvc repro first")

    record = {}
    print(f"{'seconds until the work begins':31} {'stage':>6} {'floor':>6} {'above':>6}   floor: import of")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder)
        for stage, (arguments, function, libraries) in STAGES.items():
            module = f"winnow.stages.{stage.partition('@')[0]}"
            calls = {
                "stage": lambda s=stage, a=[module, function, *arguments]: run(UNTIL_WORK, a, s, folder),
                "floor": lambda s=stage, i=libraries: run(f"import os, {i}; os._exit(0)", [], s, folder),
            }
            seconds = take_turns(calls, 2 if options.quick else 5)  # type: ignore[arg-type]
            median = {key: statistics.median(values) for key, values in seconds.items()}
            above = statistics.median(a - b for a, b in zip(seconds["stage"], seconds["floor"], strict=True))
            record[stage] = {"floor_imports": libraries, "work": function, "above": above, **median}
            print(f"{stage:31} {median['stage']:6.2f} {median['floor']:6.2f} {above:6.2f}   {libraries}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
