"""Lottery tickets of ResNet-20 on CIFAR-10 at the paper's schedule, as far as the time allows.

    python benchmarks/gpu/tickets.py FOLDER --out OUT [--seconds 500] [--steps 62400] [--tiny]

FOLDER holds train.parquet and test.parquet (columns image and label). Two lines of levels, each pruning a fifth of the
weights that remain, and rewinding to step 0 and to step 1,000; three replicates train together (Paul et al. 2023, sec.
2 and appendix A). --steps scales the schedule. After each level OUT gets tickets.json, the test errors and densities,
and what the next level needs. The same command goes on from there.
"""

import json
import time
from pathlib import Path
from typing import Any

import cifar
from cifar import FACTS, WHERE
from torch import nn

import winnow
from winnow.networks import initialise
from winnow.params.training import Augment, Network, Training
from winnow.pruning.masks import Mask, ones, pack, unpack
from winnow.storage import load_tensors, save_tensors
from winnow.training.batches import DeviceImages, to_device
from winnow.training.checkpoint import load_network
from winnow.training.evaluate import accuracy, log_probabilities
from winnow.training.loop import Beginning, Run, graphed_steps, start, train_epoch
from winnow.training.schedule import Schedule, make_schedule

BEGIN = time.perf_counter()
SEEDS, LEVELS, PRUNE = range(200, 203), 8, 0.2


def paper(steps: int) -> Training:
    """The authors': 62,400 steps, a tenth of the learning rate after a half and after three quarters."""
    return Training(
        length=f"{steps} steps",
        batch_size=128,
        nesterov=False,
        weight_decay=1e-4,
        decay_at=[f"{steps // 2} steps", f"{steps * 3 // 4} steps"],
        decay=0.1,
        augment=Augment(crop=4, flip=True),
    )


def trained(
    networks: list[nn.Module], masks: list[Mask], images: DeviceImages, how: Training, schedule: Schedule, step: int
) -> list[nn.Module]:
    """Train the networks together from this step to the end of the schedule."""
    runs = [
        start(Beginning(network.to(WHERE), seed, mask), Path(), step, step // schedule.epoch)
        for network, seed, mask in zip(networks, SEEDS, masks, strict=True)
    ]
    graphs = graphed_steps(runs, how) if WHERE.type == "cuda" else None
    while runs[0].step < schedule.total:
        _epoch(runs, images, how, schedule, graphs)
    return [run.network for run in runs]


def _epoch(runs: list[Run], images: DeviceImages, how: Training, schedule: Schedule, graphs: Any) -> None:
    if graphs is None:
        for run in runs:
            train_epoch([run], images, how, schedule)
    else:
        train_epoch(runs, images, how, schedule, graphs)


def main() -> None:
    parser = cifar.words(__doc__)
    parser.add_argument("--steps", type=int, default=62_400)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    source = cifar.images(options.folder, options.tiny)
    images, test = to_device(source.train, FACTS, WHERE), to_device(source.test, FACTS, WHERE)
    params = Network(name="resnet8", width=4) if options.tiny else Network(name="resnet20")
    steps, rewinds, levels = (6, (0, 2), 2) if options.tiny else (options.steps, (0, 1000), LEVELS)
    how = paper(steps)
    schedule = make_schedule(how, len(images))
    report = options.out / "tickets.json"
    found: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {"steps": steps, "levels": []}
    if found["steps"] != steps:
        parser.error(f"{report} has levels of {found['steps']} steps, not {steps}: name another --out")
    found["device"], labels = cifar.device_name(), test.labels.cpu().numpy()
    longest = max((row["seconds"] for row in found["levels"]), default=0.0)
    for number, tau in ((number, tau) for number in range(levels + 1) for tau in rewinds):
        if any((row["level"], row["rewind"]) == (number, tau) for row in found["levels"]):
            continue
        began = time.perf_counter()
        if began - BEGIN + longest > options.seconds:
            print("no time is left for another level; the same command goes on from here")
            break
        networks = [initialise(params, 10, (3, 32, 32), seed) for seed in SEEDS]
        masks = [ones(network) for network in networks]
        point = options.out / f"rewind{tau}"
        if number == 0:
            networks = trained(networks, masks, images, how, schedule.until_step(tau), 0) if tau else networks
            _keep(point, networks, masks)
        else:
            masks = _load(options.out / f"level{number - 1}-rewind{tau}", networks)
            masks = [winnow.prune(network, PRUNE, mask) for network, mask in zip(networks, masks, strict=True)]
        _load(point, networks)
        networks = trained(networks, masks, images, how, schedule, tau)
        _keep(options.out / f"level{number}-rewind{tau}", networks, masks)
        errors = [1 - accuracy(log_probabilities(network, test), labels) for network in networks]
        seconds = time.perf_counter() - began
        longest = max(longest, seconds)
        row = {
            "level": number,
            "rewind": tau,
            "density": winnow.density(masks[0]),
            "errors": errors,
            "seconds": seconds,
        }
        found["levels"].append(row)
        report.write_text(json.dumps(found, indent=1) + "\n")
        print(row, flush=True)


def _keep(path: Path, networks: list[nn.Module], masks: list[Mask]) -> None:
    for seed, network, mask in zip(SEEDS, networks, masks, strict=True):
        state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
        save_tensors(f"{path}-{seed}.safetensors", state | pack(mask))


def _load(path: Path, networks: list[nn.Module]) -> list[Mask]:
    """Give the networks these weights; returns the masks beside them."""
    masks = []
    for seed, network in zip(SEEDS, networks, strict=True):
        tensors = load_tensors(f"{path}-{seed}.safetensors")
        load_network(network, tensors)
        masks.append(unpack(tensors))
    return masks


if __name__ == "__main__":
    main()
