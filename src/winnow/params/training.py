"""Networks and trainings, which the sections early, retrain and dense use."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from winnow.params.base import Duration, Section

NETWORK_NAMES = (
    "resnetN with N = 6n + 2 (resnet8, resnet20, …), resnet18, resnet50, lenet_300_100, convnet, airbench, rnn, gru, "
    "lstm, vit, torchvision:NAME, and your own: networks.MODULE:FUNCTION"
)


class Network(Section):
    """An architecture by name: ours, torchvision's, or the user's own function in the folder networks."""

    name: str = "convnet"
    # channels of the first layer, hidden units of rnn, gru and lstm, or features of vit; the architecture's own by
    # default
    width: Annotated[int, Field(ge=1)] | None = None
    # a file in the folder networks to start from instead of random weights; not recorded with the trained networks
    weights: str | None = Field(default=None, exclude=True)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        depth = re.fullmatch(r"resnet(\d+)", value)
        cifar_family = depth is not None and int(depth[1]) >= 8 and int(depth[1]) % 6 == 2
        if not (
            cifar_family
            or value in ("resnet18", "resnet50", "lenet_300_100", "convnet", "airbench", "rnn", "gru", "lstm", "vit")
            or value.startswith("torchvision:")
            or re.fullmatch(r"networks(\.[A-Za-z_]\w*)+:[A-Za-z_]\w*", value)
        ):
            if ":" in value:
                raise ValueError(
                    f"{value}: a network of your own is a function in the folder networks, which DVC watches: "
                    "write networks.MODULE:FUNCTION"
                )
            raise ValueError(f"unknown network {value!r}; there are {NETWORK_NAMES}")
        return value

    @field_validator("weights")
    @classmethod
    def _weights(cls, value: str | None) -> str | None:
        if value is not None and (not re.fullmatch(r"networks/.+\.safetensors", value) or ".." in value.split("/")):
            raise ValueError(f"{value}: must be a .safetensors file in the folder networks, which DVC watches")
        return value


class Augment(Section):
    """Random changes to a training image, drawn at every visit."""

    crop: Annotated[int, Field(ge=0)] = 0  # pixels of black padding; a window of the image's size is cropped out
    flip: bool = False  # left-right, half of the time


class Training(Section):
    """An optimiser and its learning rate over time. An epoch is one pass over all training images in whole batches, the
    rest dropped."""

    length: Duration = "20 epochs"
    batch_size: Annotated[int, Field(ge=1)] = 128
    optimiser: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # Adam's beta1
    nesterov: bool = True  # sgd only
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999  # adam and adamw only, as is epsilon
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = (
        5e-4  # added to the gradient; with adamw, taken from the weight itself
    )
    warmup: Duration = "0 steps"  # the learning rate rises linearly to its full value over this time
    annealing: Literal["steps", "cosine"] = "steps"  # cosine: half a wave from the end of warmup to zero at the end
    decay_at: list[Duration] = []  # with steps, when the learning rate is multiplied by decay
    decay: Annotated[float, Field(gt=0, le=1)] = 0.2
    augment: Augment = Augment()
    # in which networks compute outputs and gradients: bfloat16 takes about half of the time on processors that have it;
    # auto is bfloat16 on a GPU, else float32. Weights and scores stay in float32
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.optimiser == "sgd" and self.nesterov and self.momentum == 0:
            raise ValueError("nesterov: true needs a momentum above 0")
        if self.annealing == "cosine" and self.decay_at:
            raise ValueError("decay_at: must be [] with annealing: cosine")
        return self
