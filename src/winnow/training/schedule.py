"""The length of a training, and its learning rate at every step."""

import math
from dataclasses import dataclass, replace

from winnow.params.base import steps
from winnow.params.training import Training


@dataclass(frozen=True)
class Schedule:
    """All times in optimiser steps. ``epoch`` is the number of steps of one pass over the images trained on.
    ``cosine_to``: the step at which half a cosine wave from the end of the warmup reaches zero; 0 for no such wave."""

    total: int
    epoch: int
    warmup: int
    decay_at: tuple[int, ...]
    peak: float
    decay: float
    cosine_to: int = 0

    def learning_rate(self, step: float) -> float:
        """The learning rate of a step, counted from 0; where epochs have fewer steps than the schedule says, a step may
        lie between two of the schedule's."""
        if self.cosine_to:  # Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", eq. 5
            share = (step - self.warmup) / max(self.cosine_to - self.warmup, 1)
            rate = self.peak * (1 + math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2
        else:
            rate = self.peak * self.decay ** sum(step >= at for at in self.decay_at)
        return rate * min(step + 1, self.warmup) / self.warmup if step < self.warmup else rate

    @property
    def epochs(self) -> int:
        """The number of passes over the images; the last may be incomplete."""
        return -(-self.total // self.epoch)

    def until(self, epoch: int) -> "Schedule":
        """The same schedule, ended after this epoch."""
        return self.until_step(epoch * self.epoch)

    def until_step(self, step: int) -> "Schedule":
        """The same schedule, ended after this many steps."""
        return replace(self, total=min(self.total, step))

    def stretched(self, times: float) -> "Schedule":
        """The same schedule in so many times as many steps, at least one: all of its times come later, or earlier."""
        return replace(
            self,
            total=max(1, round(times * self.total)),
            warmup=round(times * self.warmup),
            decay_at=tuple(round(times * at) for at in self.decay_at),
            cosine_to=round(times * self.cosine_to),
        )

    def before_end(self, step: int) -> int:
        """Return the step. Raises ValueError unless the step comes before the end of the schedule."""
        if step >= self.total:
            raise ValueError(f"{step} steps are not before the end of the training, which has {self.total}")
        return step


def make_schedule(training: Training, images: int, images_of_full_epoch: int | None = None) -> Schedule:
    """The schedule of a training on ``images`` images.

    ``images_of_full_epoch`` sets what "epochs" in the params mean. If it is the number of all training images, a run on
    a subset takes as many steps as one on all data, and so more passes over fewer images (the paper's protocol: 200 x
    390 steps at every subset size). If it is left out, an epoch is a pass over the subset.

    Raises ValueError if there are fewer images than a batch takes.
    """
    if images < training.batch_size:
        raise ValueError(f"batch_size: {training.batch_size} is more than the {images} images to train on")
    own = images // training.batch_size
    unit = (images_of_full_epoch or images) // training.batch_size
    total = steps(training.length, unit)
    return Schedule(
        total=total,
        epoch=own,
        warmup=steps(training.warmup, unit),
        decay_at=tuple(steps(at, unit) for at in training.decay_at),
        peak=training.learning_rate,
        decay=training.decay,
        cosine_to=total if training.annealing == "cosine" else 0,
    )
