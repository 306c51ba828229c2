"""What was run, in rows of a name and a text: data, networks, trainings, sizes, seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

from winnow.datasets.repeated import in_words
from winnow.page.words import some

Row = tuple[str, str]


def what_was_run(params: Mapping[str, Any], facts: Mapping[str, Any], shape: Sequence[int]) -> list[Row]:
    """params: the values of params.yaml; facts: ``data/images/dataset.json``; shape: of the training images, [n,
    channels, height, width]."""
    return [*_data(params, facts, shape), *_images_half(params), *_weights_half(params)]


def _data(params: Mapping[str, Any], facts: Mapping[str, Any], shape: Sequence[int]) -> list[Row]:
    counts, labels = facts.get("images", {}), params["labels"]
    sizes = [f"{counts[name]:,} {name}" for name in counts]
    channels, height, width = shape[-3:]
    source = facts.get("source", params["download"]["source"])
    found = [("Data", f"{source}: {some(sizes)} images of {height} x {width} pixels and {channels} channel"
                      f"{'s' if channels > 1 else ''}, in {len(facts.get('class_names', []))} classes")]  # fmt: skip
    copies = in_words(facts.get("repeated", {}))
    if copies:
        found.append(("Copies", f"{copies}; data/images/repeated.csv lists them"))
    changed = []
    if labels.get("file"):
        changed.append("replaced by a file of the user's where it has them")
    if labels.get("noise"):
        changed.append(f"drawn at random for {100 * labels['noise']:g}% of the images")
    tail = params["download"].get("long_tail")
    if tail:
        found.append(("Classes", f"long-tailed: the first has {tail:g} times as many training images as the last"))
    return [*found, ("Labels", some(changed) if changed else "the source's own")]


def _images_half(params: Mapping[str, Any]) -> list[Row]:
    early, select, retrain = params["early"], params["select"], params["retrain"]
    cohorts = [_seeds(cohort["seeds"] if isinstance(cohort, dict) else cohort) for cohort in early["cohorts"].values()]
    kept = some([f"{keep:g}" for keep in select["keep"]])
    scores = [*params["score"]["scores"], *params["score"]["gradients"]]
    return [
        ("Scoring networks", f"{_network(params, 'early')}; seeds {some(cohorts)}; scored at epochs "
                             f"{some([str(epoch) for epoch in early['epochs']], 20)}"),
        ("Scores", some(scores, 20)),
        ("Subsets", f"{some(list(select['methods']), 20)}, each keeping {kept}, "
                    f"by the scores of epoch {select['epoch']}"),
        ("Retrained networks", f"{_network(params, 'retrain')}; for every subset and for all images, seeds "
                               f"{_seeds(retrain['seeds'])}; as many {retrain['budget']} as on all images"),
    ]  # fmt: skip


def _weights_half(params: Mapping[str, Any]) -> list[Row]:
    dense, levels = params["dense"], params["pruning"]["levels"]
    if not dense["seeds"]:
        return [("Lottery tickets", "none")]
    return [
        ("Dense networks", f"{_network(params, 'dense')}; seeds {_seeds(dense['seeds'])}; levels rewind to "
                           f"the weights of {dense['rewind']}"),
        ("Levels of pruning", f"{len(levels)}: {some(list(levels), 30)}" if levels else "none"),
    ]  # fmt: skip


def _network(params: Mapping[str, Any], section: str) -> str:
    """Such as "convnet, width 16, trained for 30 epochs in batches of 64"."""
    network = params["networks"][params[section]["network"]]
    training = params["trainings"][params[section]["training"]]
    options = [f"{key} {value}" for key, value in network.items() if key not in ("name",) and value is not None]
    batches = f" in batches of {training['batch_size']}" if "batch_size" in training else ""
    return f"{', '.join([str(network['name']), *options])}, trained for {training['length']}{batches}"


def _seeds(seeds: Sequence[int]) -> str:
    """Such as "0 to 4", or a list."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    return some([str(seed) for seed in seeds]) or "none"
