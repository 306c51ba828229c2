"""Random streams: every use of chance draws from a stream of its own, so that changing one leaves the others alone."""

import hashlib
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:  # torch takes two seconds to import, and the data stages draw from numpy only
    import torch

Stream = Literal[
    "initialisation",
    "fresh_initialisation",
    "data_order",
    "augmentation",
    "dropout",
    "label_noise",
    "subset",
    "random_score",
    "holdout",
    "long_tail",
    "folds",
    "share",
    "halves",
    "splits",
    "child",
    "random_mask",
    "mask_scores",
    "statistics",
    "hessian",
    "perturbation",
    "measured_on",
    "scoring",
    "visits",
    "views",
    "projection",
]


def numpy_stream(seed: int, name: Stream, *index: int) -> np.random.Generator:
    """The generator of one stream; it depends only on the seed, the name and the index (an epoch, a class, …)."""
    return np.random.default_rng(_key(seed, name, index))


def torch_stream(seed: int, name: Stream, *index: int) -> "torch.Generator":
    """Like ``numpy_stream``, but a torch generator, on the CPU: it draws the same for training on every device.

    Torch's CPU generator uses 32 bits of its seed, so among 10,000 streams the chance that any two are the same is 1%.
    """
    import torch

    return torch.Generator().manual_seed(_key(seed, name, index) % 2**32)


def _key(seed: int, name: Stream, index: tuple[int, ...]) -> int:
    """256 bits that no other (seed, name, index) shares: Python's own hash would change from run to run."""
    if name not in get_args(Stream):
        raise ValueError(f"no stream {name!r}; there are {', '.join(get_args(Stream))}")
    text = "/".join([str(int(seed)), name, *(str(int(i)) for i in index)])
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest(), "big")
