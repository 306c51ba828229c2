"""One network in several processes, each on a device of its own: each takes its part of every batch, and all of them
take the same step, which is the step of one process but for rounding.

Only this module, ``several_devices`` and ``whole_batch_norm`` use torch.distributed, and only where WINNOW_DEVICE names
several devices.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from winnow.autograd.override import Override
from winnow.errors import UserError
from winnow.training.whole_batch_norm import whole_batch_norm


class Ended(BaseException):
    """The stage is over for a process that follows: nothing of it remains but what the leader does alone."""


@dataclass
class Share:
    """This process's place among those that share every training of a stage.

    A stage's script runs in all of them. The leader, number 0, runs it as it would alone. The others follow from one
    training to the next: each begins when the leader has begun it, so that all files are there, and none is written
    twice. What lies between trainings, such as tables, is the leader's.
    """

    rank: int
    processes: int
    store: dist.Store  # where the leader says what begins
    turns: Iterator[int] = field(default_factory=count)
    heard: tuple[str, list[int]] = ("", [])  # what the leader has begun

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def begin(self, label: str, jobs: Sequence[int]) -> list[int]:
        """The numbers of the jobs in which all take part, as the leader has them. label: what the jobs are; followers
        raise RuntimeError if they are at another place of the stage."""
        if self.leads:
            self._say([label, list(jobs)])
            return list(jobs)
        if self.heard[0] != label:
            raise RuntimeError(f"process {self.rank} is at {label!r}, and its leader at {self.heard[0]!r}")
        return self.heard[1]

    def end(self) -> None:
        """Tell the followers that the stage is over."""
        self._say(["", []])

    def follow(self) -> None:
        """Wait for what the leader begins next. Raises Ended if that is nothing."""
        label, jobs = self._hear()
        if not label:
            raise Ended
        self.heard = (label, jobs)

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The followers wait at the beginning of the block until the leader has left it."""
        if not self.leads:
            self._hear()
        yield
        if self.leads:
            self._say([])

    def _say(self, word: list[object]) -> None:
        self.store.set(f"turn{next(self.turns)}", json.dumps(word))

    def _hear(self) -> Any:
        return json.loads(self.store.get(f"turn{next(self.turns)}"))

    def of(self, network: nn.Module) -> "Shared":
        """The network in training by all. Its weights must be the same in all."""
        return Shared(self.rank, self.processes, network)


class Shared:
    """A network that several processes train."""

    def __init__(self, rank: int, processes: int, network: nn.Module) -> None:
        self.rank, self.processes, self.network = rank, processes, network
        self.forward: Callable[[Tensor], Tensor] = nn.parallel.DistributedDataParallel(network)

    def part(self, batch: int) -> slice:
        """Which of a batch's images are this process's. The parts of all differ by one image at most.

        Raises UserError if there are fewer images than processes.
        """
        if batch < self.processes:
            raise UserError(
                f"WINNOW_DEVICE names {self.processes} devices, more than a batch has images ({batch}): name fewer"
            )
        return slice(self.rank * batch // self.processes, (self.rank + 1) * batch // self.processes)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A block for the forward and the backward pass of a step, in which batch norm is over the whole batch."""
        with Override({functional.batch_norm: whole_batch_norm}):
            yield

    def weighted(self, loss: Tensor, images: int, batch: int) -> Tensor:
        """From the mean loss over this process's part of a batch to that whose mean over all processes, which torch
        takes of the gradients, is the mean over the batch."""
        return loss * (self.processes * images / batch)

    def check_gradients(self) -> None:
        """Raise UserError for a parameter without a gradient: torch would not have waited for those of others."""
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad and parameter.grad is None:
                raise UserError(
                    f"WINNOW_DEVICE names several devices, but {name} of the network takes no part in a step's loss: "
                    "name one"
                )

    def exchange(self, losses: Tensor, *of_images: Tensor) -> None:
        """Complete what the steps of an epoch left, in place. losses: float, each process's ``weighted``, of which the
        mean remains; of_images: this process's images, and zero for those of others."""
        dist.all_reduce(losses)
        losses /= self.processes
        for values in of_images:
            dist.all_reduce(values.view(torch.uint8) if values.dtype == torch.bool else values)

    def same(self, values: Tensor) -> Tensor:
        """The leader's values, where those of others may be rounded in another way."""
        found = values.contiguous().to(next(self.network.parameters()).device, copy=True)
        dist.broadcast(found, 0)
        return found.to(values.device)

    def check_equal(self) -> None:
        """Raise RuntimeError if the processes' networks are no longer the same."""
        state = self.network.state_dict().values()
        own = torch.stack([tensor.flatten().view(torch.uint8).sum(dtype=torch.int64) for tensor in state])
        every = [torch.empty_like(own) for _ in range(self.processes)]
        dist.all_gather(every, own)
        if any(not torch.equal(other, own) for other in every):
            raise RuntimeError("the devices of WINNOW_DEVICE round differently: the parts of one network drift apart")
