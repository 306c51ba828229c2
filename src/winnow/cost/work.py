"""How much work every stage that computes with networks has, counted from params.yaml: steps, images passed, products.

It counts what ``winnow.stages`` does, and trains nothing. A test compares it with counts made by hand.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path

from winnow.cost.sizes import Sizes, sizes_of
from winnow.errors import UserError
from winnow.experiment import Params
from winnow.params.base import steps
from winnow.params.dense import NAME as DENSE
from winnow.params.download import Download
from winnow.params.early import Cohort
from winnow.params.pruning import NO_PARENT, Level, with_parents
from winnow.params.training import Network, Training
from winnow.pruning.schedules import SCHEDULES
from winnow.selection.advice import MOST
from winnow.selection.choices import all_subsets, selected
from winnow.training.schedule import Schedule, make_schedule

# Products with the Hessian by which Lanczos' method finds the largest eigenvalues: ARPACK's first vectors, and one
# restart. The default experiment needs none, but the graphs of its gradients take about as long to make
LANCZOS_VECTORS, RESTARTS = 20, 1
HESSIAN_BATCH = 128  # images of a product in the probe, as of a batch in landscape.curvature
ADAPTIVE_CUTS = 8  # that a level with max_error_rise tries: it bisects 64 fractions
LINE_BYTES, TABLE_BYTES = 6000, 4000  # a table of one line; another small table


@dataclass(frozen=True)
class Unit:
    """A piece of work that a probe can time.

    kind: step (of training, on one batch), twins (a step without labels), pass (of one image, forward), gradient (the
    score ``score`` of one image), product (of the Hessian with a vector, for one image of ``group``), gram (the Gram
    matrix of ``group`` images). network, training: as json, and training only for steps. networks: trained in step with
    each other. masked: weights are held at zero.
    """

    kind: str
    network: str
    training: str = ""
    networks: int = 1
    masked: bool = False
    score: str = ""
    group: int = 0


@dataclass(frozen=True)
class Work:
    """The work of a stage.

    pieces: how many of equal size can run side by side, each in a process of its own. units: of all pieces together.
    files: that it reads and writes one by one. states: how many times it keeps the weights of a network, by the
    network. bytes: of its other outputs. memory: bytes that a process holds beside what the units need. graphs: how
    many times as much memory a product needs as in the probe.
    """

    pieces: int
    units: Mapping[Unit, float] = field(default_factory=dict)
    files: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    bytes: float = 0.0
    memory: float = 0.0
    graphs: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """What work is counted from: params.yaml, the sizes of the data set and of the targets; together: from a stage's
    seeds to how many of them train in step (on a GPU all, else 1)."""

    params: Params
    sizes: Sizes
    targets: Mapping[str, Sizes] = field(default_factory=dict)
    together: Callable[[int], int] = lambda _seeds: 1

    @property
    def outputs(self) -> int:
        """Bytes of the log softmax of one image."""
        return 4 * self.sizes.classes

    def subset(self, data: str) -> int:
        """Images of full, or of a subset by its file in data/, such as select/el2n-0.5."""
        subsets = all_subsets(self.params.select, self.params.sweep)
        keep = 1.0 if data == "full" else subsets.get(data.removeprefix("select/"), ("", 1.0))[1]
        return min(keep, self.sizes.train) if isinstance(keep, int) else max(1, round(keep * self.sizes.train))

    def held_out(self) -> int:
        return self.sizes.validation + self.sizes.test

    def splits(self) -> int:
        """Images on which tickets are measured."""
        return min(self.params.dense.eval_images, self.sizes.train) + self.held_out()


def experiment_of(params: Params, current: bool, on_gpu: bool) -> Experiment:
    """The experiment of the project in the working directory. current: whether data/images is what the params ask for.
    Raises UserError if it is not, and only download can say how many images there are."""
    sizes = sizes_of(params.download, "data/images", current)
    targets = {}
    for name, target in params.target.sets.items():
        asked = Download(**target.model_dump(), size=params.download.size, validation=0.0)
        found = sizes_of(asked, f"data/target/{name}", current=Path(f"data/target/{name}/dataset.json").exists())
        targets[name] = replace(found, shape=sizes.shape)  # they are made as large as those of the pool
    return Experiment(params, sizes, targets, (lambda seeds: seeds) if on_gpu else (lambda _seeds: 1))


def work_of_all(experiment: Experiment, is_measured: Callable[[str], bool] = lambda _: False) -> dict[str, Work]:
    """The work of every stage that computes with networks, by its name. is_measured: whether a line between levels,
    LEVEL-LEVEL, is there already, so that connectivity need not measure it.

    Raises UserError, as the stage itself would, if there are fewer images than a batch takes, or no such time.
    """
    found = {}
    for name, count in _counters(experiment, is_measured):
        try:
            found[name] = count()
        except ValueError as error:
            raise UserError(f"params.yaml: {name}: {error}") from None
    return found


Counter = tuple[str, Callable[[], Work]]


def _counters(at: Experiment, is_measured: Callable[[str], bool]) -> Iterator[Counter]:
    yield from _of_scores(at)
    yield from _of_retraining(at)
    yield from _of_tickets(at, is_measured)


def _of_scores(at: Experiment) -> Iterator[Counter]:
    params, sizes = at.params, at.sizes
    early = params.early
    for name, cohort in early.cohorts.items():
        seeds, images = len(cohort.seeds), _trained_on(cohort, sizes.train)
        yield f"early@{name}", partial(_scored, at, seeds, images, early.network, early.training)
        for score in params.score.gradients:
            yield f"score_gradients@{name}-{score}", partial(_gradients, at, seeds, score)
        yield f"ntk@{name}", partial(_kernels, at, seeds)
    for name, source in params.transfer.sources.items():
        how = (len(source.seeds), sizes.train, source.network, source.training)
        yield f"transfer@{name}", partial(_scored, at, *how)
    for name, seeds_of in params.second_split.cohorts.items():
        yield f"second_split@{name}", partial(_halves, at, len(seeds_of))
    for name, twins in params.pretrain.cohorts.items():
        yield f"pretrain@{name}", partial(_twins, at, len(twins.seeds), twins.network, twins.training)
    for name, target in at.targets.items():
        yield f"target_outputs@{name}", partial(_passed, at, early.network, 1, len(early.epochs) * target.train)
    replicates = len(params.dense.seeds)
    for level in params.compression.levels:
        images = 2 * replicates * sizes.train
        yield f"compression@{level}", partial(_passed, at, params.dense.network, replicates, images)


def _of_retraining(at: Experiment) -> Iterator[Counter]:
    params = at.params
    retrain = params.retrain
    subsets, own = all_subsets(params.select, params.sweep), selected(params.select)
    for name in subsets:
        kind, images = "retrain" if name in own else "retrain_sweep", at.subset(f"select/{name}")
        yield f"{kind}@{name}", partial(_retrained, at, images, retrain.budget)
    yield "retrain_full", partial(_retrained, at, at.sizes.train, retrain.budget)
    for name, values in retrain.visits.items():
        yield f"retrain_visits@{name}", partial(_visited, at, float(values.get("keep", MOST)))
    for recipe, how in retrain.recipes.items():
        seeds = len(retrain.seeds)
        passed = seeds * at.sizes.train if how.teacher == "full" else 0
        yield f"teacher@{recipe}", partial(_passed, at, retrain.network, seeds, passed)
        for name in own:
            images, budget = at.subset(f"select/{name}"), how.budget or retrain.budget
            yield f"retrain_recipes@{name}-{recipe}", partial(_retrained, at, images, budget)
    for name, target in at.targets.items():
        for pool in own:
            yield f"finetune@{name}-{pool}", partial(_finetuned, at, target)
        for pool in ("full", "fresh"):
            yield f"finetune_ends@{name}-{pool}", partial(_finetuned, at, target)


def _of_tickets(at: Experiment, is_measured: Callable[[str], bool]) -> Iterator[Counter]:
    params = at.params
    levels = params.pruning.levels
    if not params.dense.seeds:
        return
    yield "dense", partial(_dense, at)
    for name, point in params.pruning.rewinds.items():
        yield f"rewind@{name}", partial(_to_rewind_point, at, name, point.data)
    for name, level in levels.items():
        yield f"prune@{name}", partial(_level, at, level)
    yield "spawn", partial(_children, at)
    pairs = dict.fromkeys(
        [*with_parents(levels), *((DENSE, name) for name in levels), *combinations(params.connectivity.matrix, 2)]
    )
    yield "connectivity", partial(_lines, at, [f"{a}-{b}" for a, b in pairs], is_measured)
    for name, run in params.perturbation.runs.items():
        yield f"perturbation@{name}", partial(_perturbed, at, run.rewind, run.data)
    for measured in params.curvature.levels:
        yield f"curvature@{measured}", partial(_curvature, at)


def _trained_on(cohort: Cohort, images: int) -> int:
    share = cohort.share or (1 - 1 / cohort.folds if cohort.folds else 1.0)
    return max(1, int(share * images))


def _network(network: Network) -> str:
    return network.model_dump_json()


def _pass(network: Network) -> Unit:
    return Unit("pass", _network(network))


def _step(at: Experiment, network: Network, training: Training, seeds: int, masked: bool = False) -> Unit:
    """A step of as many networks as train together. Only what a step's time depends on counts of the training."""
    usual = {"length": "1 epoch", "warmup": "0 steps", "annealing": "steps", "decay_at": []}
    shown = training.model_copy(update=usual).model_dump_json()
    return Unit("step", _network(network), shown, at.together(seeds), masked)


def _scored(at: Experiment, seeds: int, images: int, network: Network, training: Training) -> Work:
    """Of early and of transfer: to the last of early.epochs, with outputs of the validation split after each epoch, and
    of all images after those that are scored."""
    epochs, features, sizes = at.params.early.epochs, at.params.early.features, at.sizes
    schedule = make_schedule(training, images).until(epochs[-1])
    passes = len(epochs) * sizes.train + (schedule.epochs + 1) * sizes.validation
    step = _step(at, network, training, seeds)
    kept = len(epochs) * (sizes.train + sizes.validation) * at.outputs + 5 * schedule.epochs * sizes.train
    kept += len(features) * sizes.train * 2 * 64  # of some 64 features
    return Work(
        seeds // step.networks,
        {step: schedule.total * seeds / step.networks, _pass(network): float(seeds * passes)},
        seeds * (schedule.epochs + len(epochs)),
        {_network(network): seeds * len(epochs)},
        seeds * kept,
        memory=sizes.train * (at.outputs + 5 * schedule.epochs),
    )


def _passed(at: Experiment, network: Network, pieces: int, images: int) -> Work:
    """Of stages that only keep the outputs of trained networks for so many images, in all."""
    return Work(pieces, {_pass(network): float(images)} if images else {}, 3 * pieces, {}, images * at.outputs)


def _gradients(at: Experiment, seeds: int, score: str) -> Work:
    jobs = seeds * len(at.params.early.epochs)
    unit = Unit("gradient", _network(at.params.early.network), score=score)
    return Work(jobs, {unit: float(jobs * at.sizes.train)}, jobs, {}, 4 * jobs * at.sizes.train)


def _kernels(at: Experiment, seeds: int) -> Work:
    ntk, epochs = at.params.ntk, at.params.early.epochs
    moves = [pair for pair in pairwise(epochs) if ntk.epochs is None or pair[0] in ntk.epochs]
    networks = len({epoch for pair in moves for epoch in pair})
    unit = Unit("gram", _network(at.params.early.network), group=ntk.images)
    grams = {unit: float(seeds * ntk.groups * networks)} if moves else {}
    return Work(seeds, grams, seeds * networks, {}, TABLE_BYTES)


def _halves(at: Experiment, seeds: int) -> Work:
    early, half = at.params.early, at.sizes.train // 2
    schedule = make_schedule(early.training, half)
    step = _step(at, early.network, early.training, seeds)
    units = {
        step: 4.0 * schedule.total * seeds / step.networks,  # two orders of two halves
        _pass(early.network): 2.0 * seeds * schedule.epochs * half,
    }
    kept = 2 * seeds * half * (schedule.epochs + 8)
    return Work(2 * seeds // step.networks, units, 4 * seeds * schedule.epochs, {}, kept)


def _twins(at: Experiment, seeds: int, network: Network, training: Training) -> Work:
    schedule = make_schedule(training, at.sizes.train)
    step = _step(at, network, training, 1)
    unit = Unit("twins", step.network, step.training)
    passes = {_pass(network): float(seeds * at.sizes.train)}
    return Work(seeds, {unit: float(schedule.total * seeds), **passes}, seeds, {}, seeds * at.sizes.train * 2 * 64)


def _retrained(at: Experiment, images: int, budget: str) -> Work:
    training = at.params.retrain.training
    schedule = make_schedule(training, images, at.sizes.train if budget == "steps" else None)
    return _to_the_end(at, schedule.total, schedule.epochs, at.held_out())


def _visited(at: Experiment, share: float) -> Work:
    schedule = make_schedule(at.params.retrain.training, at.sizes.train)
    return _to_the_end(at, share * schedule.total, schedule.epochs, at.held_out())


def _finetuned(at: Experiment, target: Sizes) -> Work:
    schedule = make_schedule(at.params.target.training, target.train)
    return _to_the_end(at, schedule.total, schedule.epochs, target.test, at.params.target.training)


def _to_the_end(at: Experiment, count: float, epochs: int, tested: int, training: Training | None = None) -> Work:
    """Of networks of retrain: so many steps, and their outputs on the images they are tested on."""
    retrain = at.params.retrain
    seeds = len(retrain.seeds)
    step = _step(at, retrain.network, training or retrain.training, seeds)
    units = {step: count * seeds / step.networks, _pass(retrain.network): float(seeds * tested)}
    kept = seeds * (tested * at.outputs + 80 * epochs)
    return Work(seeds // step.networks, units, 4 * seeds, {_network(retrain.network): seeds}, kept)


def _whole(at: Experiment, data: str) -> Schedule:
    """The schedule of a training of tickets on a subset."""
    return make_schedule(at.params.dense.training, at.subset(data), at.sizes.train)


def _tau(at: Experiment, rewind: str, data: str | None = None) -> int:
    """The step of a rewind point."""
    dense, points = at.params.dense, at.params.pruning.rewinds
    length = dense.rewind if rewind == DENSE else points[rewind].length
    return _whole(at, data or "full").before_end(steps(length, at.sizes.train // dense.training.batch_size))


def _trained(at: Experiment, count: float, masked: bool = True, runs: int = 1) -> tuple[int, dict[Unit, float]]:
    """Pieces and steps of so many steps for every replicate, each in so many runs."""
    dense, seeds = at.params.dense, len(at.params.dense.seeds)
    step = _step(at, dense.network, dense.training, seeds, masked)
    return runs * seeds // step.networks, {step: runs * count * seeds / step.networks} if count else {}


def _watched(at: Experiment, count: float) -> float:
    """Images passed for the step of early stopping, in so many steps. The test images are left out: they are passed
    only as long as the loss falls."""
    dense = at.params.dense
    if not dense.measure:
        return 0.0
    return count // steps(dense.measure, at.sizes.train // dense.training.batch_size) * at.sizes.validation


def _dense(at: Experiment) -> Work:
    schedule, seeds, network = _whole(at, "full"), len(at.params.dense.seeds), at.params.dense.network
    tau = _tau(at, DENSE)
    pieces, first = _trained(at, tau, masked=False)
    _, second = _trained(at, schedule.total - tau)
    passes = seeds * (at.splits() + _watched(at, schedule.total - tau))
    units = {**first, **second, _pass(network): float(passes)}
    return Work(pieces, units, 6 * seeds, {_network(network): 2 * seeds}, 3 * seeds * TABLE_BYTES)


def _to_rewind_point(at: Experiment, name: str, data: str) -> Work:
    pieces, units = _trained(at, _tau(at, name, data), masked=False)
    seeds = len(at.params.dense.seeds)
    return Work(pieces, units, 2 * seeds, {_network(at.params.dense.network): seeds})


def _level(at: Experiment, level: Level) -> Work:
    schedule, seeds, network = _whole(at, level.data), len(at.params.dense.seeds), at.params.dense.network
    schedule, first = SCHEDULES[level.choices.schedule](schedule, _tau(at, level.rewind), lambda: _left(at, level))
    count = max(schedule.total - first, 0)
    pieces, units = _trained(at, count)
    probe = min(at.params.dense.eval_images, at.sizes.train)
    cuts = 2 if level.parent != NO_PARENT and level.amount else 0
    passes = at.splits() + cuts * (probe + at.splits()) + _watched(at, count)
    passes += ADAPTIVE_CUTS * 2 * probe if level.max_error_rise is not None else 0
    passes += at.subset(level.data) if level.options.get("distil") else 0
    units[_pass(network)] = float(seeds * passes)
    return Work(pieces, units, 6 * seeds, {_network(network): seeds}, 3 * seeds * TABLE_BYTES)


def _left(at: Experiment, level: Level) -> float:
    """The fraction of the weights that a level keeps, by its params; where the error says how many, all. It stands for
    that of the multiplications, which nobody knows before the mask."""
    above = at.params.pruning.levels.get(level.parent)
    return (1 - (level.prune or 0.0)) * (_left(at, above) if above else 1.0)


def _children(at: Experiment) -> Work:
    schedule, seeds = _whole(at, "full"), len(at.params.dense.seeds)
    epoch = at.sizes.train // at.params.dense.training.batch_size
    partings = {schedule.before_end(steps(length, epoch)) for length in at.params.spawn.at}
    if not partings:
        return Work(1)
    before, after = sum(partings), sum(schedule.total - parting for parting in partings)
    _, units = _trained(at, before, masked=False)
    pieces, apart = _trained(at, after / len(partings), runs=2 * len(partings))
    network = at.params.dense.network
    passes = {_pass(network): 2.0 * len(partings) * seeds * at.held_out()}
    children = 2 * len(partings) * seeds
    kept = 3 * children * TABLE_BYTES
    return Work(pieces, {**units, **apart, **passes}, 4 * children, {_network(network): children}, kept)


def _images_of_lines(at: Experiment) -> tuple[int, int]:
    """Images passed at a point of a line: those that recalibrate batch norm, and those it is measured on."""
    limit = at.params.connectivity.images or at.sizes.train
    train, test = min(limit, at.sizes.train), min(limit, at.sizes.test)
    return train if at.params.connectivity.batch_norm == "recalibrated" else 0, train + test


def _lines(at: Experiment, pairs: Collection[str], is_measured: Callable[[str], bool]) -> Work:
    seeds, points, subsets = len(at.params.dense.seeds), at.params.connectivity.points, at.params.connectivity.subsets
    again, measured = _images_of_lines(at)
    new = [pair for pair in pairs if not is_measured(pair)]
    children = len(set(at.params.spawn.at))
    lines = seeds * (len(new) + children)
    passes = lines * points * (again + measured) + children * seeds * points * 3 * subsets.images
    kept = LINE_BYTES * seeds * (len(pairs) + children)
    return Work(max(lines, 1), {_pass(at.params.dense.network): float(passes)}, 3 * lines, {}, kept)


def _perturbed(at: Experiment, rewind: str, data: str) -> Work:
    seeds, scales = len(at.params.dense.seeds), len(at.params.perturbation.scales)
    pieces, units = _trained(at, _whole(at, data).total - _tau(at, rewind), runs=scales)
    points = at.params.connectivity.points
    passes = scales * seeds * (points * sum(_images_of_lines(at)) + at.held_out())
    units[_pass(at.params.dense.network)] = float(passes)
    return Work(pieces, units, 8 * scales * seeds, {}, TABLE_BYTES)


def _curvature(at: Experiment) -> Work:
    options, seeds = at.params.curvature, len(at.params.dense.seeds)
    images = min(options.images, at.sizes.train)
    first = max(2 * options.eigenvalues + 1, LANCZOS_VECTORS)
    products = first + RESTARTS * (first - options.eigenvalues) + options.probes * options.lanczos_steps
    unit = Unit("product", _network(at.params.dense.network), group=min(images, HESSIAN_BATCH))
    vectors = {_network(at.params.dense.network): seeds * options.eigenvalues}
    units = {unit: float(seeds * products * images)}
    return Work(seeds, units, 2 * seeds, vectors, graphs=images / unit.group)
