"""Training steps on a CUDA device as graphs: one call starts all kernels of a step, in place of hundreds of calls.

A small network's kernels take less time than Python takes to start them. Each network has a stream of its own, so that
kernels of several networks, each too small for the device, run at the same time. Each network computes the same as it
would alone: the networks share nothing but the device.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

# Step(inputs [b, c, h, w], labels [b], learning rate [], a teacher's probabilities [b, classes] or nothing, weights [b]
# or nothing) gives loss [], hits, bool [b], and margins, float [b].
Step = Callable[..., tuple[Tensor, ...]]

# Steps taken before one is recorded: in the first, libraries choose their algorithms and allocate their workspace.
WARM_UP = 3


class GraphedStep:
    """The step of one network, recorded after a few steps and replayed from then on.

    A step that cannot be recorded, such as one that copies a value to the CPU, runs without a graph; a printed line
    says so.
    """

    def __init__(self, step: Step) -> None:
        self.step, self.taken, self.draws = step, 0, False
        self.graph: torch.cuda.CUDAGraph | None = None
        self.stream, self.done = torch.cuda.Stream(), torch.cuda.Event()
        self.given: list[Tensor] = []  # where every step finds its batch
        self.result: tuple[Tensor, ...] = ()

    def give(self, batch: Sequence[Tensor]) -> None:
        """Put the next batch where the step finds it."""
        torch.cuda.current_stream().wait_event(self.done)
        if not self.given:
            self.given = [tensor.clone() for tensor in batch]
        else:
            for place, tensor in zip(self.given, batch, strict=True):
                place.copy_(tensor)

    def take(self, seed: int, results: Sequence[Tensor], before: "GraphedStep | None") -> None:
        """Take the step on the given batch, and write its results: loss [], hits, margins and the images' losses [b].

        seed: for layers that draw. before: another network, whose step must end first if layers draw, because torch
        keeps one place on the device for the seed of all graphs.
        """
        self.stream.wait_stream(torch.cuda.current_stream())
        if self.draws and before is not None:
            self.stream.wait_event(before.done)
        with torch.cuda.stream(self.stream):
            if self.taken < WARM_UP or self.draws:
                torch.cuda.manual_seed(seed)
            if self.taken == WARM_UP:
                self._record()
            if self.graph is not None:
                self.graph.replay()
            else:
                self.result = self.step(*self.given)
                self.draws |= _offset() > 0
            for result, value in zip(results, self.result, strict=True):
                result.copy_(value)
            self.done.record()
        self.taken += 1

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self.stream):
                self.result = self.step(*self.given)
        except RuntimeError as error:
            reason = str(error).splitlines()[0][:100]
            print(f"No CUDA graph can be made of the network's steps ({reason}): they are slower", flush=True)
        else:
            self.graph = graph


def take_side_by_side(
    steps: Sequence[GraphedStep], batch: Sequence[Tensor], seeds: Sequence[int], results: Sequence[Tensor]
) -> None:
    """Take one step of each of k networks: network i takes row i of every tensor of the batch, and writes into row i of
    the results, losses [k], and hits, margins and the images' losses [k, b], ready once ``wait_for`` has returned."""
    for i, step in enumerate(steps):
        step.give([tensor[i] for tensor in batch])
    before = None
    for i, step in enumerate(steps):
        step.take(seeds[i], [result[i] for result in results], before)
        before = step


def wait_for(steps: Iterable[GraphedStep]) -> None:
    """Make all later work on the device wait for the steps that were started."""
    for step in steps:
        torch.cuda.current_stream().wait_event(step.done)


def _offset() -> int:
    """How far the device's random stream has advanced from its seed."""
    return torch.cuda.default_generators[torch.cuda.current_device()].get_offset()
