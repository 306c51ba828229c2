"""Score examples with your own networks, and find labels that are likely wrong."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from winnow import methods
from winnow.autograd.evaluation import evaluation
from winnow.direct.loader import Loader, Passes, batches, outputs, refuse_shuffled, to_device_of
from winnow.scores.aggregate import mean_and_stderr
from winnow.scores.families import OF_FEATURES, OF_GRADIENTS, OF_OUTPUTS, OF_SEEDS
from winnow.scores.last_layer import LastLayer, last_weights
from winnow.training.evaluate import last_linear, with_inputs_of

if TYPE_CHECKING:
    import pandas as pd

Networks = nn.Module | Sequence[nn.Module]


def score(networks: Networks, loader: Loader, name: str = "el2n") -> np.ndarray:
    """Score every example: the mean over the networks, float64 [n], in the loader's order.

    networks: one, or several trained alike from different seeds (Data Diet takes ten, a few epochs into training), with
    logits [b, classes]. loader: a DataLoader that does not shuffle, or any other iterable of batches (inputs, labels);
    the function passes over it once. name: el2n (Data Diet, Def. 2.3), grand (Def. 2.1: the norm of the example's
    gradient; for the layers that autograd.gradient_norms covers), loss (nats), margin, entropy (nats), least_confidence
    or margin_uncertainty; ensemble_agreement, of at least two networks; or one of the inputs of the last layer, which
    are kept for all examples: prototype_distance, class_prototype_distance, label_neighbours, donod, influence_effort.
    Networks run in evaluation mode, and then return to the modes they were in.

    Raises ValueError for an unknown name, for batches or logits of the wrong shape, and for a loader that shuffles.
    """
    all_networks = _several(networks)
    if name in methods.names(OF_FEATURES):
        layers = last_layers(all_networks, loader)
        return mean_and_stderr(np.array([methods.find(OF_FEATURES, name)(layer) for layer in layers]))[0]
    of_batch = _of_batch(name, all_networks)
    refuse_shuffled(loader)
    with _evaluation(all_networks):
        means = [mean_and_stderr(of_batch(*batch))[0] for batch in batches(loader)]
    return np.concatenate(_not_empty(means))


def features(network: nn.Module, loader: Loader) -> np.ndarray:
    """The inputs of the network's last linear layer, float32 [n, d], in the loader's order.

    Raises ValueError if the network has no linear layer, and where ``score`` does.
    """
    layer = last_linear(network)
    refuse_shuffled(loader)
    with evaluation(network):
        return np.concatenate(
            [with_inputs_of(layer, network, inputs)[1].float().cpu().numpy() for inputs, _ in Passes(loader, network)]
        )


def last_layers(networks: Sequence[nn.Module], loader: Loader) -> list[LastLayer]:
    """The last layer of each network, with its inputs and outputs for all examples, in the loader's order.

    Raises ValueError if a network has no linear layer, or if its last one does not give the logits.
    """
    refuse_shuffled(loader)
    layers = [last_linear(network) for network in networks]
    inputs_of: list[list[np.ndarray]] = [[] for _ in networks]
    outputs_of: list[list[np.ndarray]] = [[] for _ in networks]
    given = []
    with _evaluation(networks), ExitStack() as hooks:
        for layer, seen in zip(layers, inputs_of, strict=True):
            hooks.enter_context(layer.register_forward_pre_hook(partial(_keep, seen)))
        for inputs, labels in batches(loader):
            given.append(labels.cpu().numpy())
            for network, found in zip(networks, outputs_of, strict=True):
                found.append(outputs(network, inputs, labels))
    all_labels, results = np.concatenate(_not_empty(given)), []
    for layer, *both in zip(layers, inputs_of, outputs_of, strict=True):
        all_inputs, all_outputs = (np.concatenate(parts) for parts in both)
        own = {name: tensor.detach().float().cpu().numpy() for name, tensor in layer.named_parameters()}
        weight, bias = last_weights(own, all_inputs, all_outputs)
        results.append(LastLayer(all_inputs, weight, bias, all_outputs, all_labels))
    return results


def _keep(seen: list[np.ndarray], _: nn.Module, given: tuple[Tensor, ...]) -> None:
    seen.append(given[0].detach().flatten(1).float().cpu().numpy())


def suspects(networks: Networks, loader: Loader, count: int = 50) -> "pd.DataFrame":
    """Find the ``count`` examples of the highest EL2N, the highest first: the networks doubt their labels most.

    Columns: rank (from 1); position in the loader's order; given (the label); predicted (the class of the highest mean
    probability); el2n (its mean over the networks); stderr (the standard error of that mean, nan for one network). Use
    networks a few epochs into training: later they have memorised wrong labels.

    networks, loader: as for ``score``. Raises ValueError where ``score`` does.
    """
    import pandas as pd

    from winnow.scores.aggregate import score_table
    from winnow.scores.of_outputs.el2n import el2n
    from winnow.scores.seed_scores import SeedScores
    from winnow.scores.suspects import predicted_labels
    from winnow.scores.suspects import suspects as of_table

    all_networks = _several(networks)
    refuse_shuffled(loader)
    given, predicted, values = [], [], []
    with _evaluation(all_networks):
        for inputs, labels in batches(loader):
            log_probabilities = [outputs(network, inputs, labels) for network in all_networks]
            given.append(labels.cpu().numpy())
            predicted.append(predicted_labels(log_probabilities))
            values.append([el2n(of_one, given[-1]) for of_one in log_probabilities])
    label = np.concatenate(_not_empty(given))
    seeds = list(range(len(all_networks)))
    scores = SeedScores(np.concatenate(values, axis=1)[:, None].astype(np.float32), seeds, [0])
    position = np.arange(len(label))
    images = pd.DataFrame(
        {"id": position, "position": position, "label": label, "original_label": label, "true_label": label}
    )
    classes = range(max(label.max(), np.concatenate(predicted).max()) + 1)
    found = of_table(score_table(images, {"el2n": scores}), np.concatenate(predicted), classes, 0, count)
    return found.drop(columns=["id", "original", "label"])


def _of_batch(name: str, networks: Sequence[nn.Module]) -> Callable[[Tensor, Tensor], np.ndarray]:
    """From inputs and labels to the scores [networks, b]."""
    if name in methods.names(OF_SEEDS):
        if len(networks) < 2:
            raise ValueError(f"networks: {name} compares networks; give at least two")
        of_seeds = methods.find(OF_SEEDS, name)
        return lambda *batch: of_seeds(np.stack([outputs(network, *batch) for network in networks]))
    of_network = _of_one(name)
    return lambda *batch: np.array([of_network(network, *batch) for network in networks])


def _of_one(name: str) -> Callable[[nn.Module, Tensor, Tensor], np.ndarray]:
    """From a network, inputs and labels to the scores [b]."""
    there = {each: methods.find(OF_OUTPUTS, each) for each in methods.names(OF_OUTPUTS)}
    of_one = {each: function for each, function in there.items() if not methods.has_mark(function, "NEEDS_ALL")}
    if name in of_one:
        of_outputs = of_one[name]
        return lambda network, inputs, labels: of_outputs(outputs(network, inputs, labels), labels.cpu().numpy())
    if name in methods.names(OF_GRADIENTS):
        of_gradients = methods.find(OF_GRADIENTS, name)
        return lambda network, *batch: of_gradients(network, *to_device_of(network, *batch)).cpu().numpy()
    known = ", ".join([*of_one, *methods.names(OF_GRADIENTS), *methods.names(OF_SEEDS), *methods.names(OF_FEATURES)])
    raise ValueError(f"name: {name!r} is not a score of a network on a loader; there are {known}")


def _several(networks: Networks) -> list[nn.Module]:
    found = [networks] if isinstance(networks, nn.Module) else list(networks)
    if not found or not all(isinstance(network, nn.Module) for network in found):
        raise ValueError("networks: must be a torch.nn.Module, or a list of at least one")
    return found


@contextmanager
def _evaluation(networks: Sequence[nn.Module]) -> Iterator[None]:
    with ExitStack() as stack:
        for network in networks:
            stack.enter_context(evaluation(network))
        yield


def _not_empty(parts: list[np.ndarray]) -> list[np.ndarray]:
    if not parts:
        raise ValueError("loader: gives no batch")
    return parts
