"""The training loop: epochs of batches, for one network or several in step, resumable after an epoch."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from winnow.params.training import Training
from winnow.storage import load_tensors, save_tensors
from winnow.streams import numpy_stream, torch_stream
from winnow.training.batches import DeviceImages, training_batches
from winnow.training.checkpoint import load_network
from winnow.training.device import precision
from winnow.training.distillation import Teaching
from winnow.training.evaluate import with_features
from winnow.training.graphs import GraphedStep, take_side_by_side, wait_for
from winnow.training.held import pruned_by, zero
from winnow.training.optimisers import OPTIMISERS, Moments, Weights, forget, restored
from winnow.training.plan import Moment, Plan, State, Visits
from winnow.training.schedule import Schedule
from winnow.training.workers import Tick

if TYPE_CHECKING:  # torch.distributed is for several devices only
    from winnow.training.shared import Share, Shared

SECONDS_BETWEEN_SAVES = 1.0  # an epoch of a small subset takes milliseconds
STATE = "state.safetensors"  # in a run's working folder: what a restart needs
NOT_VISITED = 2  # in a record of correctness: this epoch dropped the image with the incomplete last batch


@dataclass(frozen=True)
class Beginning:
    """What a run begins with: a network, and the seed of its data order and augmentation.

    mask: for a sparse network, bool tensors by parameter name, each of its parameter's shape, False where the weight is
    held at zero. about: what else is known of the network, for code that keeps the result. changes: what changes the
    mask as it trains; None if it stays. rows: of the images that it trains on, int64 [m], None for all. Runs that train
    side by side have equally many. plan: which images it visits in each epoch, chosen as it goes, instead of rows; such
    a run begins at step 0.
    """

    network: nn.Module
    seed: int
    mask: Mapping[str, Tensor] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    changes: "Changes | None" = None
    rows: np.ndarray | None = None
    plan: Plan | None = None


@dataclass
class Run:
    """A network in training: what a restart needs, and what the run has recorded, one array per epoch and name."""

    seed: int  # of the data order and the augmentation
    network: nn.Module
    mask: Mapping[str, Tensor]
    about: Mapping[str, Any]
    moments: Moments  # what the optimiser keeps from step to step; empty at first
    pruned: list[tuple[nn.Parameter, Tensor]]  # the parameters of the mask, and where they are held at zero
    folder: Path  # for its outputs, once it is finished
    changes: "Changes | None" = None
    rows: Tensor | None = None  # of the images that it trains on, int64 [m]; None for all
    plan: Plan | None = None
    known: State = field(default_factory=dict)  # to the plan, of the images
    memory: dict[str, Tensor] = field(default_factory=dict)  # what the changes keep, by KIND.PARAMETER; empty at first
    epoch: int = 0  # finished
    step: int = 0  # finished
    records: dict[str, list[np.ndarray]] = field(default_factory=dict)
    correct: np.ndarray | None = None  # of the last epoch: uint8 [n of images], 1 right, 0 wrong, or NOT_VISITED
    margins: np.ndarray | None = None  # likewise float16 [n of images], ``logit_margins``; NaN where not visited
    losses: np.ndarray | None = None  # likewise float32 [n of images], the cross-entropy in nats; NaN where not visited
    shared: "Shared | None" = None  # with other processes, each of which has such a run; None if this is the only one
    watch: "Watch | None" = None

    @property
    def working(self) -> Path:
        """The folder for its outputs, and for what a restart needs, until it is finished."""
        return self.folder.with_name(f"{self.folder.name}.running")

    @property
    def state(self) -> Path:
        return self.working / STATE

    def record(self, name: str, value: np.ndarray) -> None:
        self.records.setdefault(name, []).append(value)


# may use only the run's step, mask, weights, gradients and memory: a restart has nothing else
StepHook = Callable[[Run], None]


@dataclass(frozen=True)
class Watch:
    """What looks at a run after every so many of the schedule's steps, and after its last. It may record what it finds,
    and change nothing else; the loop puts the network back into training mode."""

    every: int
    look: StepHook


def parameters(run: Run) -> Weights:
    """The network's parameters that have gradients, by name."""
    return {name: weight for name, weight in run.network.named_parameters() if weight.grad is not None}


@dataclass(frozen=True)
class Changes:
    """What changes a run's mask as it trains.

    after_step: what to do after every step, while the network still has its gradients, such as to change the mask
    (``change_mask``). trained: what the optimiser moves in a step: tensors by name, with gradients that lie in memory
    as they do, which the fused steps ask for. By default these are the network's parameters. If they are scores of
    weights, say, by the weights' names, the weights themselves stay, and after_step sets the mask by the scores. begin:
    what to do before the first step, with the mask and the weights that the run begins with. A restart does it too, and
    then restores the rest.
    """

    after_step: StepHook
    trained: Callable[[Run], Weights] = parameters
    begin: StepHook | None = None


def start(begin: Beginning, folder: Path, step: int = 0, epoch: int = 0) -> Run:
    """A run of a network on its current device, without momentum yet; its outputs will become ``folder``.

    Weights where the mask is False are zero from the start, and after every step.

    step, epoch: where it begins on its schedule: at this step, after this many passes over the images (step //
    schedule.epoch). If the step lies inside a pass, the run continues with the rest of that pass, in the order and with
    the augmentation of a run from step 0.
    """
    network = begin.network.to(memory_format=torch.channels_last)
    sparse = [(_parameter(network, name), kept) for name, kept in begin.mask.items()]
    pruned = [(weight, pruned_by(kept, weight)) for weight, kept in sparse]
    rows = None if begin.rows is None else torch.from_numpy(begin.rows)
    known = begin.plan.begin if begin.plan else {}
    kept = (pruned, folder, begin.changes, rows, begin.plan, known)
    run = Run(begin.seed, network, begin.mask, begin.about, {}, *kept, epoch=epoch, step=step)
    hold(run)
    if begin.changes and begin.changes.begin:
        begin.changes.begin(run)
    return run


def _parameter(network: nn.Module, name: str) -> nn.Parameter:
    """The parameter of this name. If it is computed from others, the first of these: its value before."""
    path, _, own = name.rpartition(".")
    layer = network.get_submodule(path)
    if is_parametrized(layer, own):
        return network.get_parameter(f"{path}.parametrizations.{own}.original".lstrip("."))
    return network.get_parameter(name)


@torch.no_grad()
def hold(run: Run) -> None:
    """Put the pruned weights back to zero: weight decay and momentum ignore the mask."""
    for weight, pruned in run.pruned:
        zero(weight, pruned)


@torch.no_grad()
def change_mask(run: Run, mask: Mapping[str, Tensor]) -> None:
    """Give a run another mask of the same parameters. A weight that returns begins at zero, without momentum."""
    run.mask = {name: run.shared.same(mask[name]) if run.shared else mask[name] for name in run.mask}
    for (name, kept), (_, pruned) in zip(run.mask.items(), run.pruned, strict=True):
        forget(run.moments, name, pruned & kept.to(pruned.device))
        pruned.copy_(~kept)
    hold(run)


@torch.no_grad()
def optimiser_step(run: Run, training: Training, learning_rate: float | Tensor) -> None:
    """Take one step of the training's optimiser with the network's gradients, then remove the gradients."""
    trained = run.changes.trained if run.changes else parameters
    OPTIMISERS[training.optimiser](trained(run), run.moments, training, learning_rate)
    hold(run)
    if run.changes:
        run.changes.after_step(run)
    run.network.zero_grad()


def take_step(
    run: Run,
    training: Training,
    teaching: Teaching | None,
    inputs: Tensor,
    labels: Tensor,
    rate: float | Tensor,
    *of_batch: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Take one step of a run on a batch. Returns the loss [] before it, which images were right, bool [b], their
    ``logit_margins`` [b] and the loss of each, whatever its weight [b].

    inputs: float32 [b, c, h, w]; labels: int64 [b]; rate: the learning rate; of_batch: with a teacher, its
    probabilities of these images [b, classes]; then, if images differ in it, how much each counts [b]. A shared run
    gets the images of its own process, and its loss is ``Shared.weighted``.
    """
    taught, of_batch = (of_batch[0], of_batch[1:]) if teaching else (None, of_batch)
    weights = of_batch[0] if of_batch else None
    shared = run.shared
    with shared.step() if shared else nullcontext():
        with precision(training, inputs.device):
            logits = shared.forward(inputs) if shared else run.network(inputs)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # the loss in float32, or in float64
        if weights is None:
            loss = F.cross_entropy(logits, labels)
        else:
            loss = (F.cross_entropy(logits, labels, reduction="none") * weights).mean()
        if teaching and taught is not None:
            loss = teaching.mixed(loss, logits, taught, weights)
        if shared:
            loss = shared.weighted(loss, len(labels), training.batch_size)
        try:
            loss.backward()
        except RuntimeError:
            run.network.zero_grad()  # some gradients may be there already, and the step may be tried in another way
            raise
    if shared:
        shared.check_gradients()
    optimiser_step(run, training, rate)
    logits = logits.detach()
    of_images = F.cross_entropy(logits, labels, reduction="none")
    return loss.detach(), logits.argmax(dim=1) == labels, logit_margins(logits, labels), of_images


def logit_margins(logits: Tensor, labels: Tensor) -> Tensor:
    """How far the logit of the label lies above the largest of the others: float32 [b] from [b, classes]."""
    given = labels[:, None]
    return logits.gather(1, given)[:, 0] - logits.scatter(1, given, -torch.inf).amax(dim=1)


Graphs = Mapping[tuple[int, bool], GraphedStep]  # by the run's id, and whether images have weights


def graphed_steps(runs: Sequence[Run], training: Training, teaching: Teaching | None = None) -> Graphs:
    """The steps of every run as CUDA graphs, which are recorded when they are first needed."""
    return {
        (id(run), weighted): GraphedStep(partial(take_step, run, training, teaching))
        for run in runs
        for weighted in (False, True)
    }


def train_epoch(
    runs: Sequence[Run],
    images: DeviceImages,
    training: Training,
    schedule: Schedule,
    graphs: Graphs | None = None,
    visits: Sequence[Visits] = (),
) -> None:
    """Train runs at the same step to the end of their epoch, or of the schedule if that comes first.

    Sets ``run.correct``, ``run.margins`` and ``run.losses`` (whether each image was classified right when it was
    visited, by what margin, and with what loss, in training mode and augmented, as forgetting, AUM and data maps need
    them), and records ``training`` (float64 [3]: learning rate of the last step, mean loss and accuracy over the
    visits).

    graphs: ``graphed_steps`` of the runs, on a CUDA device. They compute the same, side by side. visits: of runs with a
    plan, the images of this epoch (``choose``); all fill equally many batches, and either all have weights or none. The
    schedule takes such an epoch for a whole one, however few its steps are: the learning rate follows the share of the
    epochs that is done. Then the plans learn the losses. A shared run is alone: each process takes its own part of
    every batch, and in the end all know the same.
    """
    device, shared = images.device, runs[0].shared
    for run in runs:
        run.network.train()
    # allocated at once: a small tensor kept from every step would stop the system from reclaiming memory
    size = (len(runs), len(images) // training.batch_size, training.batch_size)
    room = torch.zeros if shared else torch.empty
    losses = room(size[:2], device=device)
    hits = room(size, dtype=torch.bool, device=device)
    margins = room(size, dtype=torch.float16, device=device)
    of_images = room(size, device=device)
    taken: list[Tensor] = []
    seeds = [run.seed for run in runs]
    parts = [torch.from_numpy(each.rows) for each in visits] or [run.rows for run in runs if run.rows is not None]
    counts = _weights(images, visits)
    own = shared.part(training.batch_size) if shared else slice(None)  # of every batch
    batches = training_batches(images, training.batch_size, training.augment, seeds, runs[0].epoch, parts, own)
    # steps of this epoch already taken, and how far a step leads on the schedule
    begun, stride = runs[0].step - runs[0].epoch * schedule.epoch, 1.0
    if visits:
        begun, stride = 0, schedule.epoch / (len(visits[0].rows) // training.batch_size)
    for number, (visited, inputs, labels) in enumerate(islice(batches, begun, None), begun):
        at = runs[0].epoch * schedule.epoch + number * stride
        if at >= schedule.total:
            break
        rate = schedule.learning_rate(at)
        rows = visited[:, own]
        weights = [] if counts is None else [counts.expand(len(runs), -1).gather(1, rows)]
        taught = [] if images.teaching is None else [images.teaching.probabilities[rows]]
        draws = [_draws_of_layers(run) for run in runs]
        results = [losses[:, len(taken)], *(every[:, len(taken), own] for every in (hits, margins, of_images))]
        for run in runs:
            run.step += 1
        if graphs is None:
            for i, run in enumerate(runs):
                seed_layers(draws[i], device)
                of_batch = [every[i] for every in (*taught, *weights)]
                found = take_step(run, training, images.teaching, inputs[i], labels[i], rate, *of_batch)
                for result, value in zip(results, found, strict=True):
                    result[i] = value
        else:
            rates = torch.full((len(runs),), rate, device=device)
            steps = [graphs[id(run), counts is not None] for run in runs]
            take_side_by_side(steps, (inputs, labels, rates, *taught, *weights), draws, results)
        taken.append(visited)
        _look(runs, schedule, graphs)
    if graphs is not None:
        wait_for(graphs.values())
    if shared:
        shared.exchange(losses, hits, margins, of_images)
        shared.check_equal()
    _record(runs, rate, taken, (losses, hits, margins, of_images), len(images))
    for run in runs if visits else ():
        _learn(run)


def _look(runs: Sequence[Run], schedule: Schedule, graphs: Graphs | None) -> None:
    """Let the watch of each run look at it, if this is the time."""
    for run in runs:
        if run.watch and (run.step % run.watch.every == 0 or run.step == schedule.total):
            if graphs is not None:
                wait_for(graphs.values())
            run.watch.look(run)
            run.network.train()


def _draws_of_layers(run: Run) -> int:
    """The seed of a step's layers that draw. Each process of a shared run has draws of its own, for its own images."""
    place = (run.shared.rank,) if run.shared and run.shared.rank else ()
    return torch_stream(run.seed, "dropout", run.step, *place).initial_seed()


def _weights(images: DeviceImages, visits: Sequence[Visits]) -> Tensor | None:
    """How much every image counts in the loss of each of k runs, [k, n], or of all alike, [1, n]; None if all count the
    same."""
    own = [each.weights for each in visits if each.weights is not None]
    if not own:
        return None if images.weights is None else images.weights[None]
    counts = torch.zeros(len(visits), len(images))
    for row, each, weights in zip(counts, visits, own, strict=True):
        row[torch.from_numpy(each.rows)] = torch.from_numpy(weights)
    return counts.to(images.device) if images.weights is None else counts.to(images.device) * images.weights


def choose(run: Run, images: DeviceImages, batch_size: int) -> Visits:
    """What the plan of a run visits in the epoch that begins. Raises ValueError if this does not fill a batch."""
    assert run.plan is not None
    stream = numpy_stream(run.seed, "visits", run.epoch)

    def features() -> np.ndarray:
        found = with_features(run.network, images)[1]
        return run.shared.same(torch.from_numpy(found)).numpy() if run.shared else found

    visits = run.plan.choose(Moment(run.epoch, run.known, stream, features))
    if len(visits.rows) < batch_size:
        raise ValueError(
            f"visits {len(visits.rows)} images in epoch {run.epoch + 1}, fewer than a batch ({batch_size})"
        )
    run.known = run.known if visits.state is None else visits.state
    return visits


def _learn(run: Run) -> None:
    """Tell the plan of a run the losses of the epoch that has ended, and record how many images it visited."""
    assert run.plan is not None and run.correct is not None and run.losses is not None
    rows = np.flatnonzero(run.correct != NOT_VISITED)  # a loss that is not a number is no mark: the visit counts
    run.known = run.plan.update(run.known, rows, run.losses[rows])
    run.record("visits", np.array(len(rows)))


def _record(runs: Sequence[Run], rate: float, visits: list[Tensor], results: tuple[Tensor, ...], images: int) -> None:
    """Keep what an epoch left of each of k runs. visits: of every step the rows [k, b]; results: losses [k, steps], and
    hits, margins and the images' own losses [k, steps, b], with room for more steps."""
    losses, *of_visits = (every[:, : len(visits)] for every in results)
    hits, margins, of_images = (every.flatten(1).cpu().numpy() for every in of_visits)
    rows = torch.cat(visits, dim=1).cpu().numpy()
    for run, loss, hit, margin, own, visit in zip(runs, losses, hits, margins, of_images, rows, strict=True):
        run.epoch += 1
        run.correct = np.full(images, NOT_VISITED, np.uint8)
        run.margins = np.full(images, np.nan, np.float16)
        run.losses = np.full(images, np.nan, np.float32)
        run.correct[visit], run.margins[visit], run.losses[visit] = hit, margin, own
        run.record("training", np.array([rate, loss.mean().item(), hit.mean()]))


def seed_layers(seed: int, device: torch.device) -> None:
    """Seed torch's global generators, for layers that draw (dropout, stochastic depth)."""
    if device.type == "cpu":
        # not torch.manual_seed: in a process without CUDA it keeps every seed, with a stack trace, in case CUDA starts
        # later. That takes an eighth of a small network's step, and memory that is never freed
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


# trains runs for one epoch, as ``train_epoch`` does, and takes what it takes
Epoch = Callable[[Sequence[Run], DeviceImages, Training, Schedule, Graphs | None, Sequence[Visits]], None]


def train(
    runs: Sequence[Run],
    images: DeviceImages,
    training: Training,
    schedule: Schedule,
    tick: Tick,
    one_epoch: Epoch = train_epoch,
    share: "Share | None" = None,
) -> Iterator[Run]:
    """Train ``runs`` to the end of the schedule, and yield each before its first epoch and after every epoch.

    Several runs train in step, on a CUDA device in parallel; of runs with a plan, those that choose as many batches.
    ``tick`` gets the number of steps done, including those of
    an earlier call that was interrupted. one_epoch: what an epoch of training is; another than train_epoch gets no
    graphs. share: of this process among several, which all train the one run, by train_epoch. The leader alone writes
    it, and yields it as one process does; those that follow yield it after every epoch.

    When the caller has handled an epoch, the run is written to ``run.state``, at most once a second; if the file exists
    at the start, the run resumes from it. So after an interruption the caller may handle an epoch again, with the same
    values: a run that is interrupted and started again ends in the same bytes as one that is not.
    """
    saved = time.monotonic()
    ticked = sum(_done(run, schedule) for run in runs)
    for run in runs:
        if share is None or share.leads:
            if run.state.exists():
                restore(run)
            else:
                yield run
                save(run)
    if share:
        assert one_epoch is train_epoch
        (run,) = runs
        with share.leader_first():
            if not share.leads:
                restore(run)
        run.shared = share.of(run.network)
    # a graph runs no Python, so it cannot include what happens after a step
    graphed = images.device.type == "cuda" and one_epoch is train_epoch and not any(run.changes for run in runs)
    graphed &= share is None  # nor the talk between processes
    graphs = graphed_steps(runs, training, images.teaching) if graphed else None
    tick(sum(_done(run, schedule) for run in runs) - ticked)
    ticked = sum(_done(run, schedule) for run in runs)
    while unfinished := [run for run in runs if _done(run, schedule) < schedule.total]:
        # after an interruption some runs may be an epoch ahead: the others catch up first
        behind = min(run.epoch for run in unfinished)
        group = [run for run in unfinished if run.epoch == behind]
        for part, visits in _in_step(group, images, training.batch_size):
            one_epoch(part, images, training, schedule, graphs, visits)
            yield from part
        tick(sum(_done(run, schedule) for run in runs) - ticked)
        ticked = sum(_done(run, schedule) for run in runs)
        now = time.monotonic()
        if _done(group[0], schedule) == schedule.total or now - saved > SECONDS_BETWEEN_SAVES:
            for run in group if share is None or share.leads else ():
                save(run)
            saved = now


def _done(run: Run, schedule: Schedule) -> int:
    """How far a run is on the schedule, in steps of plain training."""
    return run.step if run.plan is None else min(run.epoch * schedule.epoch, schedule.total)


def _in_step(
    group: Sequence[Run], images: DeviceImages, batch_size: int
) -> Iterator[tuple[Sequence[Run], Sequence[Visits]]]:
    """The runs in parts that train in step, with the visits of each, if they have plans: plans may choose different
    numbers of images."""
    if group[0].plan is None:
        yield group, ()
        return
    parts: dict[tuple[int, bool], list[tuple[Run, Visits]]] = {}
    for run in group:
        visits = choose(run, images, batch_size)
        parts.setdefault((len(visits.rows) // batch_size, visits.weights is None), []).append((run, visits))
    for pairs in parts.values():
        yield [run for run, _ in pairs], [visits for _, visits in pairs]


def save(run: Run) -> None:
    """Write network, the optimiser's moments, counters, records, a mask that may change with the memory of what changes
    it, and what a plan knows, as one safetensors file.
    """
    save_tensors(
        run.state,
        {f"network.{name}": tensor for name, tensor in run.network.state_dict().items()}
        | {f"moments.{name}": tensor for name, tensor in run.moments.items()}
        | {f"mask.{name}": kept for name, kept in run.mask.items() if run.changes}
        | {f"memory.{name}": tensor for name, tensor in run.memory.items()}
        | {f"known.{name}": value for name, value in run.known.items()}
        | {f"records.{name}": np.stack(values) for name, values in run.records.items()}
        | {"progress": np.array([run.epoch, run.step])},
    )


def restore(run: Run) -> None:
    """Put a run back where ``save`` left it."""
    tensors = load_tensors(run.state)
    load_network(run.network, tensors)
    if run.changes:
        change_mask(run, {name: torch.from_numpy(tensors[f"mask.{name}"]) for name in run.mask})
    run.moments = restored(_named(tensors, "moments."), run.network)
    run.memory = restored(_named(tensors, "memory."), run.network)
    run.epoch, run.step = (int(count) for count in tensors["progress"])
    run.known = {name.removeprefix("known."): value for name, value in tensors.items() if name.startswith("known.")}
    run.records = {
        name.removeprefix("records."): list(values) for name, values in tensors.items() if name.startswith("records.")
    }


def _named(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with the prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): torch.from_numpy(tensor)
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def finish(run: Run) -> None:
    """Remove what a restart needs, and move the outputs from ``run.working`` to the run's folder."""
    run.state.unlink()
    run.working.rename(run.folder)


def history(run: Run) -> pd.DataFrame:
    """One row per epoch that the run trained: seed, epoch (of its schedule, from 1), learning_rate, train_loss,
    train_accuracy; visits (how many images), if the run has a plan; and, if the caller records ``validation``,
    validation_loss and validation_accuracy."""
    columns = ["learning_rate", "train_loss", "train_accuracy"]
    table = pd.DataFrame(np.array(run.records.get("training", [])).reshape(-1, 3), columns=columns)
    table.insert(0, "seed", run.seed)
    table.insert(1, "epoch", np.arange(run.epoch - len(table), run.epoch) + 1)
    if "visits" in run.records:
        table["visits"] = np.array(run.records["visits"])
    if "validation" in run.records:
        table[["validation_loss", "validation_accuracy"]] = np.array(run.records["validation"])
    return table
