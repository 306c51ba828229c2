"""Times training and scoring on a CUDA device against their alternatives, all in one run; tells where the time goes.

    python benchmarks/gpu/engine.py [--tiny] [--out engine.json] [PART ...]

All parts run if none is named; SPLITS below has their names. Images are noise of CIFAR-10's
shape, which takes as long as pictures. With WINNOW_DEVICE=cpu and --tiny it shows that it runs.
"""

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from winnow import cores
from winnow.autograd.gradient_norms import gradient_norms
from winnow.datasets.images import Labelled
from winnow.networks import initialise
from winnow.params.training import Augment, Network, Training
from winnow.storage import load_tensors
from winnow.training.batches import DeviceImages, normalise, to_device, training_batches
from winnow.training.device import chosen_device
from winnow.training.evaluate import log_probabilities
from winnow.training.loop import Beginning, Run, graphed_steps, save, start, train, train_epoch
from winnow.training.schedule import make_schedule

CLASSES, SHAPE = 10, (3, 32, 32)
FACTS = {"mean": [0.491, 0.482, 0.447], "std": [0.247, 0.243, 0.262]}
TRAINING = Training(length="1000 epochs", batch_size=128, augment=Augment(crop=4, flip=True))
WHERE = chosen_device()
CUDA = WHERE.type == "cuda"
TINY = "--tiny" in sys.argv
RESULTS: dict[str, Any] = {}


def wait() -> None:
    if CUDA:
        torch.cuda.synchronize()


def seconds(call: Callable[[], Any], turns: int = 3) -> float:
    """The median time of a call, after one that warms up."""
    call()
    times = []
    for _ in range(turns):
        wait()
        begin = time.perf_counter()
        call()
        wait()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def say(name: str, value: float, unit: str) -> None:
    RESULTS[name] = value
    print(f"{name:58} {value:12,.3f} {unit}", flush=True)


def noise(count: int) -> DeviceImages:
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, (count, *SHAPE), np.uint8)
    return to_device(Labelled(pixels, draws.integers(0, CLASSES, count)), FACTS, WHERE)


def new_run(name: str, seed: int, folder: Path = Path()) -> Run:
    network = initialise(Network(name=name), CLASSES, SHAPE, seed).to(WHERE)
    return start(Beginning(network, seed), folder / f"seed{seed}")


def epoch(runs: list[Run], images: DeviceImages, graphs: bool) -> Callable[[], None]:
    """An epoch as the engine has it; with graphs those are made once."""
    steps = graphed_steps(runs, TRAINING) if graphs and CUDA else None
    return lambda: train_epoch(runs, images, TRAINING, make_schedule(TRAINING, len(images)), steps)


def usual_step(name: str) -> Callable[[Tensor, Tensor], None]:
    """A step as the usual loop has it, in bfloat16 and channels-last."""
    network = initialise(Network(name=name), CLASSES, SHAPE, 0).to(WHERE, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True)

    def step(inputs: Tensor, labels: Tensor) -> None:
        with torch.autocast(WHERE.type, torch.bfloat16):
            loss = functional.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def fixed_batch() -> tuple[Tensor, Tensor]:
    inputs = torch.randn(128, *SHAPE, device=WHERE).contiguous(memory_format=torch.channels_last)
    return inputs, torch.randint(CLASSES, (128,), device=WHERE)


def fixed_graph(name: str) -> Callable[[], None]:
    step, batch = usual_step(name), fixed_batch()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            step(*batch)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        step(*batch)
    return graph.replay


def whole_epoch_augmented(images: DeviceImages) -> Callable[[], Any]:
    """Feeding as the fastest known trainings of CIFAR-10 do it: all images normalised once and kept in half precision;
    each epoch mirrors and shifts all of them at once, and batches are slices of a permutation."""
    pixels = normalise(images.pixels, images).half()

    def batches() -> Any:
        flip = torch.rand(len(pixels), device=WHERE) < 0.5
        mirrored = torch.where(flip.view(-1, 1, 1, 1), pixels.flip(3), pixels)
        padded = functional.pad(mirrored, (4,) * 4)
        shift = torch.randint(-4, 5, (len(pixels), 2), device=WHERE)
        cut = torch.empty_like(pixels)
        for dy in range(-4, 5):
            for dx in range(-4, 5):
                which = (shift[:, 0] == dy) & (shift[:, 1] == dx)
                cut[which] = padded[which, :, 4 + dy : 36 + dy, 4 + dx : 36 + dx]
        cut = cut.contiguous(memory_format=torch.channels_last)
        order = torch.randperm(len(pixels), device=WHERE)
        for rows in order.split(128):
            if len(rows) == 128:
                yield cut[rows], images.labels[rows]

    return batches


def usual_loader(count: int) -> Any:
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    pixels = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    change = transforms.Compose(
        [
            transforms.RandomCrop(32, 4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(FACTS["mean"], FACTS["std"]),
        ]
    )

    class Pil(Dataset[tuple[Tensor, int]]):
        def __len__(self) -> int:
            return count

        def __getitem__(self, row: int) -> tuple[Tensor, int]:
            return change(Image.fromarray(pixels[row])), row % 10

    return DataLoader(
        Pil(),
        128,
        shuffle=True,
        num_workers=cores.available(),
        drop_last=True,
        persistent_workers=True,
        pin_memory=CUDA,
    )


def part_one(name: str = "resnet18") -> None:
    """One network: images per second."""
    steps = 2 if TINY else 200
    count = 128 * steps
    images = noise(count)
    step, batch = usual_step(name), fixed_batch()

    def rate(what: str, call: Callable[[], Any]) -> None:
        say(f"{name}: {what}", count / seconds(call), "images/s")

    rate("one fixed batch, step by step", lambda: [step(*batch) for _ in range(steps)])

    def again(replay: Callable[[], None]) -> None:
        for _ in range(steps):
            replay()

    if CUDA:
        rate("one fixed batch, as a graph", partial(again, fixed_graph(name)))
    rate("Winnow", epoch([new_run(name, 0)], images, True))
    rate("Winnow, step by step", epoch([new_run(name, 0)], images, False))
    batches = whole_epoch_augmented(images)
    rate("whole epoch augmented at once", lambda: [step(*b) for b in batches()])
    rate(
        "Winnow's batches alone",
        lambda: [None for _ in training_batches(images, 128, TRAINING.augment, [0], 0)],
    )
    if name == "resnet18":
        loader = usual_loader(count)
        rate(
            "DataLoader",
            lambda: [step(x.to(WHERE).contiguous(memory_format=torch.channels_last), y.to(WHERE)) for x, y in loader],
        )
    if CUDA:
        for what in ("benchmark", "deterministic"):
            setattr(torch.backends.cudnn, what, True)
            rate(f"one fixed batch, as a graph, cudnn.{what}", partial(again, fixed_graph(name)))
            setattr(torch.backends.cudnn, what, False)


def part_several(name: str = "resnet18") -> None:
    """Ten networks: images and networks per second, each way."""
    steps = 1 if TINY else 30
    seeds = range(2 if TINY else 10)
    images = noise(128 * steps)

    def rate(what: str, call: Callable[[], Any]) -> None:
        say(f"{name}, {len(seeds)} networks: {what}", len(images) * len(seeds) / seconds(call), "images/s")

    rate("graphs side by side", epoch([new_run(name, seed) for seed in seeds], images, True))
    alone = [epoch([new_run(name, seed)], images, True) for seed in seeds]
    rate("graphs one after another", lambda: [call() for call in alone])
    rate("step by step, one after another", epoch([new_run(name, seed) for seed in seeds], images, False))


def part_processes() -> None:
    """Several processes on one device, each with one network, against one with all."""
    count = 2 if TINY else 5
    for graphs in (True, False):
        gate = Path(tempfile.mkdtemp())
        command = [sys.executable, __file__, "--out", "/dev/null", *(["--tiny"] if TINY else [])]
        own = {"GATE": str(gate), "GRAPHS": str(int(graphs))}
        crowd = [
            subprocess.Popen([*command, "child"], env=os.environ | own, stdout=subprocess.PIPE, text=True)
            for _ in range(count)
        ]
        while len(list(gate.iterdir())) < count and all(child.poll() is None for child in crowd):
            time.sleep(0.01)
        (gate / "go").touch()
        slowest = max(float(child.communicate()[0].split()[-1]) for child in crowd)
        images = 128 * (2 if TINY else 100) * count
        say(
            f"resnet18, {count} processes, {'graphs' if graphs else 'step by step'}, one network each",
            images / slowest,
            "images/s",
        )


def part_child() -> None:
    images = noise(128 * (2 if TINY else 100))
    call = epoch([new_run("resnet18", 0)], images, os.environ["GRAPHS"] == "1")
    call()
    wait()
    gate = Path(os.environ["GATE"])
    (gate / str(os.getpid())).touch()
    while not (gate / "go").exists():
        time.sleep(0.001)
    begin = time.perf_counter()
    call()
    wait()
    print(time.perf_counter() - begin)


def part_evaluate() -> None:
    """Outputs of all images, in float32 and otherwise."""
    images = noise(500 if TINY else 20000)
    network = initialise(Network(name="resnet18"), CLASSES, SHAPE, 0).to(WHERE)

    def rate(what: str, batch: int = 500) -> None:
        time_taken = seconds(lambda: log_probabilities(network, images, batch))
        say(f"outputs of resnet18: {what}", len(images) / time_taken, "images/s")

    rate("float32, weights contiguous")
    network.to(memory_format=torch.channels_last)
    rate("float32, channels-last")
    rate("float32, channels-last, batches of 2,000", 2000)
    if CUDA:
        torch.backends.cudnn.allow_tf32 = True
        rate("TF32, channels-last")
        torch.backends.cudnn.allow_tf32 = False
    with torch.autocast(WHERE.type, torch.bfloat16):
        rate("bfloat16, channels-last")


def part_norms(name: str = "resnet18") -> None:
    """Gradient norms against vmap(grad) and against a forward pass."""
    count = 8 if TINY else 500
    network = initialise(Network(name=name), CLASSES, SHAPE, 0).to(WHERE).eval()
    weights = {key: weight.detach() for key, weight in network.named_parameters()}
    x, y = torch.randn(count, *SHAPE, device=WHERE), torch.randint(CLASSES, (count,), device=WHERE)
    last = x.contiguous(memory_format=torch.channels_last)
    lasting = copy.deepcopy(network).to(memory_format=torch.channels_last)

    def loss(own: Any, image: Tensor, label: Tensor, network: nn.Module = network) -> Tensor:
        return functional.cross_entropy(torch.func.functional_call(network, own, image[None]), label[None])

    per_example = torch.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))

    def by_vmap(weights: Any = weights, per_example: Any = per_example, x: Tensor = x, y: Tensor = y) -> Tensor:
        parts = []
        for some, labels in zip(x.split(125), y.split(125), strict=True):
            squares = [g.flatten(1).square().sum(1) for g in per_example(weights, some, labels).values()]
            parts.append(torch.stack(squares).sum(0).sqrt())
        return torch.cat(parts)

    def split(net: nn.Module, x: Tensor, y: Tensor, size: int) -> Tensor:
        return torch.cat([gradient_norms(net, *some) for some in zip(x.split(size), y.split(size), strict=True)])

    def forward(net: nn.Module, x: Tensor) -> None:
        with torch.no_grad():
            net(x)

    def rate(what: str, call: Callable[[], Any], name: str = name) -> float:
        found = count / seconds(call)
        say(f"{name}: {what}", found, "images/s")
        return found

    ours = max(
        rate("gradient norms, batches of 125", lambda: split(lasting, last, y, 125)),
        rate("gradient norms, batches of 500", lambda: split(lasting, last, y, 500)),
        rate("gradient norms, contiguous, batches of 500", lambda: split(network, x, y, 500)),
    )
    theirs = rate("norms by vmap(grad)", by_vmap)
    once = max(
        rate("forward only, contiguous", lambda: forward(network, x)),
        rate("forward only, channels-last", lambda: forward(lasting, last)),
    )
    say(f"{name}: gradient norms over vmap(grad)", ours / theirs, "times (6.5 wanted)")
    say(f"{name}: gradient norms over forward only", ours / once, "times (0.35 wanted)")
    with torch.no_grad():
        difference = (split(lasting, last, y, 125) / by_vmap() - 1).abs().max().item()
    say(f"{name}: largest relative difference from vmap(grad)", difference * 1e6, "1e-6")


@contextmanager
def cudnn(deterministic: bool) -> Any:
    torch.backends.cudnn.deterministic = deterministic
    yield
    torch.backends.cudnn.deterministic = False


def part_same() -> None:
    """Whether equal runs end in the same bytes: twice; interrupted; beside others; step by step."""
    images = noise(128 * 2 if TINY else 128 * 20)
    short = TRAINING.model_copy(update={"length": "3 epochs"})
    schedule = make_schedule(short, len(images))

    def trained(name: str, seeds: list[int], stop: bool = False, eager: bool = False) -> dict[str, np.ndarray]:
        folder = Path(tempfile.mkdtemp())
        runs = [new_run(name, seed, folder) for seed in seeds]
        while eager and runs[0].step < schedule.total:
            train_epoch(runs, images, short, schedule)
        for done, _ in enumerate(() if eager else train(runs, images, short, schedule, lambda n: None)):
            if stop and done == 2:
                save(runs[0])
                break
        if stop:
            runs = [new_run(name, seed, folder) for seed in seeds]
            for _ in train(runs, images, short, schedule, lambda n: None):
                pass
        save(runs[0])
        return load_tensors(runs[0].state)

    def differ(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
        return max(float(np.abs(a[key].astype(float) - b[key].astype(float)).max()) for key in a)

    for name in ("resnet20", "resnet18"):
        for deterministic in (False, True):
            with cudnn(deterministic):
                once = trained(name, [0])
                for what, other in (
                    ("twice", trained(name, [0])),
                    ("interrupted", trained(name, [0], stop=True)),
                    ("beside two others", trained(name, [0, 1, 2])),
                    ("step by step", trained(name, [0], eager=True)),
                ):
                    say(f"{name}, deterministic {deterministic}: differs, {what}", differ(once, other) * 1e6, "1e-6")


def part_profile() -> None:
    """The kernels that take most of the time of one network's steps."""
    if not CUDA:
        return
    for name in ("resnet18", "resnet20"):
        call = epoch([new_run(name, 0)], noise(128 * 20), True)
        call()
        wait()
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CUDA, torch.profiler.ProfilerActivity.CPU]
        ) as profile:
            call()
            wait()
        total = sum(e.self_device_time_total for e in profile.key_averages())
        print(f"{name}: kernels of 20 steps, {total / 1000:.1f} ms")
        table = sorted(profile.key_averages(), key=lambda e: -e.self_device_time_total)[:22]
        for event in table:
            print(f"  {event.self_device_time_total / total:6.1%} {event.count:6} {event.key[:110]}")


SPLITS = {
    "one": part_one,
    "small": partial(part_one, "resnet20"),
    "several": part_several,
    "several-small": partial(part_several, "resnet20"),
    "processes": part_processes,
    "evaluate": part_evaluate,
    "norms": part_norms,
    "norms-small": partial(part_norms, "resnet20"),
    "same": part_same,
    "profile": part_profile,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--tiny", action="store_true", help="show that it runs")
    parser.add_argument("--out", type=Path, default=Path(".bench/gpu/engine.json"))
    options = parser.parse_args()
    if options.parts == ["child"]:
        part_child()
        return
    name = torch.cuda.get_device_name() if CUDA else "cpu"
    print(f"{name}, torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}")
    failed = []
    for part in options.parts or SPLITS:
        begin = time.perf_counter()
        try:
            SPLITS[part]()
        except Exception:  # the other parts go on: time on a device is scarce
            traceback.print_exc()
            failed.append(part)
        print(f"-- {part}: {time.perf_counter() - begin:.1f} s", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"device": name, "torch": torch.__version__, "results": RESULTS}, indent=1))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
