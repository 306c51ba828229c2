"""What each selection costs: seconds and memory, measured, and the passes over the data that its evidence took.

Runs in the folder of a finished project, python -m winnow.comparison.cost FILE, and writes a csv. No stage measures
times, because an output of a stage must be the same whenever it is computed.
"""

import contextlib
import inspect
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd

from winnow import methods
from winnow.counts import kept
from winnow.datasets.images import load_facts
from winnow.experiment import Params, load_params
from winnow.params.dense import NAME as DENSE
from winnow.params.pruning import NO_PARENT, line
from winnow.params.training import Training
from winnow.scores.families import OF_CUTS, OF_DATA, OF_PRETRAINED, OF_RECORDS, OF_SPLITS, OF_TRAJECTORIES
from winnow.scores.runs import EarlyRuns
from winnow.selection.choices import Choice, all_choices, all_subsets
from winnow.selection.choose import choose
from winnow.selection.evidence import Evidence
from winnow.storage import load_table, save_table

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
Answer = tuple[float, float, list["Read"], set[str]]  # seconds, MiB, what was read, and the modules imported
Read = tuple[str, dict[str, Any]]  # the kind of evidence, such as score or features, and what was asked of it


def costs() -> pd.DataFrame:
    """One row per subset of the project in the working directory.

    Columns: method, keep, seconds (of one core), mib (memory beyond what the process had before; a few are the code of
    libraries), networks and epochs (that had to be trained for the method's evidence), training_passes (all images,
    forward and backward, for those networks) and scoring_passes (all images, forward, to score them).
    """
    from winnow.stages.select import evidence_of

    params = load_params()
    table, facts = load_table("data/scores/scores.parquet"), load_facts("data/images")
    labels = table["label"].to_numpy()
    runs = [EarlyRuns(Path("data/early") / cohort, labels, Path("data/images")) for cohort in params.early.cohorts]
    evidence = evidence_of(table, facts, runs, params.score.gradients, params.target.sets, params.target.cohort)
    chosen, rows = all_choices(params.select, params.sweep), []
    for name, keep in all_subsets(params.select, params.sweep).values():
        call = partial(_choose, evidence, chosen[name], kept(keep, len(table)), params.select.seed)
        seconds, mib, reads = measured(call)
        rows.append({"method": name, "keep": str(keep), "seconds": seconds, "mib": mib, **passes(reads, params)})
    return pd.DataFrame(rows)


class Recorder:
    """Evidence that notes what it is asked for; all else is as in the evidence it stands for."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.reads: list[Read] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._evidence, name)
        if not callable(found):
            return found

        def asked(*values: Any, **options: Any) -> Any:
            bound = inspect.signature(found).bind(*values, **options)
            bound.apply_defaults()
            self.reads.append((name, dict(bound.arguments)))
            return found(*values, **options)

        return asked


def _choose(evidence: Evidence, choice: Choice, size: int, seed: int) -> list[Read]:
    recorder = Recorder(evidence)
    choose(recorder, choice.method, choice.options, size, seed)
    return recorder.reads


def measured(call: Callable[[], list[Read]]) -> tuple[float, float, list[Read]]:
    """Seconds of a call, the memory it took at most beyond what there was before, in MiB, and what it returned. It runs
    in a process of its own, so that no call finds what another has left in memory. What it imports does not count."""
    seconds, mib, reads, imported = _in_a_process(call)
    if imported:
        for name in sorted(imported):
            with contextlib.suppress(ImportError):  # some modules can only be imported by others
                import_module(name)
        seconds, mib, reads, _ = _in_a_process(call)
    return seconds, mib, reads


def _in_a_process(call: Callable[[], list[Read]]) -> Answer:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=_measure, args=(call, there))
    process.start()
    there.close()
    try:
        found: Answer = here.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"a selection ended with status {process.exitcode}") from None
    process.join()
    return found


def _measure(call: Callable[[], list[Read]], answer: Connection) -> None:
    modules = set(sys.modules)
    before, start = _peak(), time.perf_counter()
    reads = call()
    seconds = time.perf_counter() - start
    answer.send((seconds, (_peak() - before) / 2**20, reads, set(sys.modules) - modules))


def _peak() -> int:
    """Bytes of memory at most; of a fresh fork, what its parent had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT


def passes(reads: list[Read], params: Params) -> Mapping[str, int]:
    """The networks that evidence needed, the epochs of their training, and the passes over all images.

    A score and the recalls are means over all networks, unless seeds or a source are named; other evidence, such as
    features, is of one network. Scores of visits are by-products of training. Scores of trajectories take a pass at
    every scored epoch, other evidence takes one. Second-split forgetting has networks of its own, which train on two
    halves in turn, and twice: two whole trainings in all. So have scores of pretrain, whose epochs count twice, because
    every image has two views. The compression gap takes those of the dense networks and of every level down to the ones
    compared, each counted as a whole training.
    """
    of_data = methods.names(OF_DATA)
    of_visits = [name for family in OF_RECORDS for name in methods.names(family)]
    of_splits, of_cuts = methods.names(OF_SPLITS), methods.names(OF_CUTS)
    of_trajectories, of_pretrained = methods.names(OF_TRAJECTORIES), methods.names(OF_PRETRAINED)
    networks = epochs = training = scoring = 0
    for kind, asked in reads:
        if "epoch" not in asked or asked.get("name") in of_data:
            continue
        name, epoch, count = asked.get("name"), asked["epoch"], 1
        if asked.get("source") is not None:
            count = len(params.transfer.sources[asked["source"]].seeds)
        elif asked.get("seeds") is not None:
            count = len(asked["seeds"])
        elif kind in ("score", "recalls"):
            count = sum(len(cohort.seeds) for cohort in params.early.cohorts.values())
        if name in of_splits:
            count = 2 * sum(map(len, params.second_split.cohorts.values()))
            epoch = epochs_of(params.early.training)
        if name in of_cuts:
            lines = {above for level in params.compression.levels for above in line(params.pruning.levels, level)}
            count = len(params.dense.seeds) * len(lines - {NO_PARENT} | {DENSE})
            epoch = epochs_of(params.dense.training)
        trained = count * epoch
        if name in of_pretrained:
            of_cohorts = [(len(own.seeds), epochs_of(own.training)) for own in params.pretrain.cohorts.values()]
            count, epoch = sum(seeds for seeds, _ in of_cohorts), max(length for _, length in of_cohorts)
            trained = 2 * sum(seeds * length for seeds, length in of_cohorts)
        networks, epochs = max(networks, count), max(epochs, epoch)
        training = max(training, trained)
        before = [scored for scored in params.early.epochs if scored <= epoch] if name in of_trajectories else [epoch]
        if name in of_cuts:
            scoring += len(params.dense.seeds) * (1 + len(params.compression.levels))
        elif name not in (*of_visits, *of_splits):
            scoring += count * len(before)
    return {"networks": networks, "epochs": epochs, "training_passes": training, "scoring_passes": scoring}


def epochs_of(training: Training) -> int:
    """How many times a whole training goes through all images."""
    count, unit = training.length.split()
    if unit.startswith("epoch"):
        return int(count)
    images: int = load_facts("data/images")["images"]["train"]
    return round(int(count) * training.batch_size / images)


if __name__ == "__main__":
    save_table(sys.argv[1], costs())
