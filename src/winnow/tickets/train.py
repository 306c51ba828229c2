"""The training of a level: from its initial tickets to trained ones, and their results on the images."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from winnow.pruning.low_rank import merge
from winnow.pruning.masks import density
from winnow.pruning.trains import Trains, every, freeze_others
from winnow.storage import load_table, save_table
from winnow.tickets.files import Ticket, load_ticket, save_ticket
from winnow.tickets.splits import Splits, evaluate
from winnow.tickets.stopping import MEASURED, stop_of
from winnow.training.fit import Hook
from winnow.training.loop import Beginning, Changes, Run, history

RESULTS = ["seed", "split", "density", "error", "loss", "error_after_cut", "error_after_two_cuts"]


def from_tickets(
    begun: Path,
    order: Callable[[int], int] = int,
    changes: Callable[[Ticket, int], Changes | None] = lambda _ticket, _seed: None,
    trains: Trains = every,
) -> Callable[[int], Beginning]:
    """Begin with the tickets ``begun/seed<s>.safetensors``. order: from a replicate's seed to the seed for the order of
    its data and for augmentation. changes: from the ticket and the seed to what changes the mask in training. trains:
    what the training changes."""

    def begin(seed: int) -> Beginning:
        ticket = load_ticket(begun / f"seed{seed}.safetensors")
        freeze_others(ticket.network, trains, ticket.mask, seed)
        return Beginning(ticket.network, order(seed), ticket.mask, ticket.about, changes(ticket, seed))

    return begin


def keep_ticket(splits: Splits) -> Hook:
    """At the end of a run that began with a ticket, save

    - ``ticket.safetensors``: the mask in packed bits, and the weights and batch-norm state after the last step
    - ``results.csv``: a row for each split: seed, split, density (of the prunable weights), error (0 to 1), loss
      (nats), error_after_cut, error_after_two_cuts (both nan where nothing was cut)
    - ``history.csv``: one row per epoch (a pass over the images), from the epoch of the rewind point on
    - ``stopping.csv``: ``stopping.stop_of`` the run, if it was measured in training
    """

    def on_end(run: Run) -> None:
        seed = int(run.folder.name.removeprefix("seed"))  # the replicate's: run.seed may be for another order of data
        merge(run.network)
        save_ticket(run.working / "ticket.safetensors", run.network.state_dict(), run.mask, dict(run.about))
        save_table(run.working / "results.csv", _results(seed, run, evaluate(run.network, splits)))
        save_table(run.working / "history.csv", history(run).assign(seed=seed))
        if MEASURED in run.records:
            save_table(run.working / "stopping.csv", stop_of(run, seed))

    return on_end


def load_results(folder: Path, seeds: Iterable[int]) -> pd.DataFrame:
    """The results that ``keep_ticket`` saved for a level's replicates, as one table; empty without replicates."""
    tables = [load_table(folder / f"seed{seed}" / "results.csv") for seed in seeds]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=RESULTS)


def _results(seed: int, run: Run, measured: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    once, twice = run.about.get("after_cuts") or [dict[str, float]()] * 2
    rows = [
        (seed, split, density(run.mask), error, loss, once.get(split, np.nan), twice.get(split, np.nan))
        for split, (error, loss) in measured.items()
    ]
    return pd.DataFrame(rows, columns=RESULTS)
