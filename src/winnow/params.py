"""The schema of params.yaml: one section per stage, with units, ranges and defaults; and the part of it one stage may read.

Only names and numbers live here: importing this module loads neither torch nor torchvision, so that a mistake in
params.yaml is told in a fraction of a second.
"""

import difflib
import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from winnow.errors import UserError
from winnow.subsets.method import Method, parse_method

Source = Literal[
    "digits", "mnist", "fashion_mnist", "cifar10", "cifar100", "svhn", "image_folder", "parquet"
]  # fmt: skip
ScoreName = Literal["el2n", "grand", "forgetting", "loss", "margin", "input_norm", "random"]

NETWORK_NAMES = "resnetN with N = 6n + 2 (resnet8, resnet20, …), resnet18, resnet50, lenet_300_100, convnet, torchvision:NAME"


def _duration(text: str) -> str:
    if not re.fullmatch(r"\d+ (epochs?|steps?)", text):
        raise ValueError(f'must be a count with its unit, such as "20 epochs" or "1560 steps", not {text!r}')
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


def steps(duration: str, steps_per_epoch: int) -> int:
    """A duration such as "20 epochs" or "1560 steps" as a number of optimiser steps."""
    count, unit = duration.split()
    return int(count) * (steps_per_epoch if unit.startswith("epoch") else 1)


class Section(BaseModel):
    """A part of params.yaml: unknown keys and wrong types are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Download(Section):
    """Where the images come from, and how they are cut into training, validation and test part."""

    source: Source = "digits"
    path: str | None = None  # image_folder: the folder with train/ and test/; parquet: that with train and test .parquet
    size: tuple[int, int] | None = None  # resize to (height, width) in pixels; needed where the sizes differ
    first: Annotated[int, Field(ge=1)] | None = None  # use only the first n training images
    first_test: Annotated[int, Field(ge=1)] | None = None  # use only the first n test images
    validation: Share = 0.1  # share of the training images held out, the same of every class
    seed: Seed = 0  # which images are held out

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) and v > 0 for v in value):  # noqa: PLR2004
            return tuple(value)
        if value is not None:
            raise ValueError("must be [height, width] in pixels, such as [32, 32]")
        return value

    @model_validator(mode="after")
    def _path(self) -> Self:
        if self.source in ("image_folder", "parquet") and not self.path:
            raise ValueError(f"download.path is needed when download.source is {self.source}: the folder to read")
        return self


class Labels(Section):
    """Label noise, for experiments: a share of the training images gets a label drawn from all classes."""

    noise: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of the training images whose label is drawn anew
    seed: Seed = 0


class Network(Section):
    """An architecture by name."""

    name: str = "convnet"
    width: Annotated[int, Field(ge=1)] | None = None  # channels of the first layer; the architecture's own if left out

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        depth = re.fullmatch(r"resnet(\d+)", value)
        cifar_family = depth is not None and int(depth[1]) >= 8 and int(depth[1]) % 6 == 2  # noqa: PLR2004
        if not (cifar_family or value in ("resnet18", "resnet50", "lenet_300_100", "convnet") or value.startswith("torchvision:")):
            raise ValueError(f"unknown network {value!r}; there are {NETWORK_NAMES}")
        return value


class Augment(Section):
    """Random changes to a training image, drawn anew at every visit."""

    crop: Annotated[int, Field(ge=0)] = 0  # pixels of black padding from which a window of the image's size is cut
    flip: bool = False  # left-right, half of the time


class Training(Section):
    """SGD with a step schedule. An epoch is one pass over all training images in whole batches, the rest dropped."""

    length: Duration = "20 epochs"
    batch_size: Annotated[int, Field(ge=1)] = 128
    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    warmup: Duration = "0 steps"  # the learning rate rises linearly to its full value over this time
    decay_at: list[Duration] = []  # when the learning rate is multiplied by decay
    decay: Annotated[float, Field(gt=0, le=1)] = 0.2
    augment: Augment = Augment()

    @model_validator(mode="after")
    def _nesterov(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov: true needs a momentum above 0")
        return self


class Early(Section):
    """The first epochs of several independent trainings, from which the scores are computed."""

    cohorts: dict[str, Annotated[list[Seed], Field(min_length=1)]] = {"a": [0, 1, 2, 3, 4]}
    network: Network = Network()
    training: Training = Training()  # the whole schedule, of which only the epochs below are run
    epochs: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = [0, 1, 2, 5, 10]  # scored; 0 = before training

    @field_validator("cohorts")
    @classmethod
    def _cohorts(cls, cohorts: dict[str, list[int]]) -> dict[str, list[int]]:
        if not cohorts:
            raise ValueError("names no cohort; give one, such as {a: [0, 1, 2]}")
        owner: dict[int, str] = {}
        for name, seeds in cohorts.items():
            if not re.fullmatch(r"[A-Za-z0-9_]+", name):
                raise ValueError(f"cohort {name!r}: a name is made of letters, digits and _")
            for seed in seeds:
                if seed in owner:
                    where = f"twice in cohort {name}" if owner[seed] == name else f"in cohorts {owner[seed]} and {name}"
                    raise ValueError(f"seed {seed} is {where}; every seed must be new, or its run would count twice")
                owner[seed] = name
        return cohorts

    @field_validator("epochs")
    @classmethod
    def _epochs(cls, epochs: list[int]) -> list[int]:
        if epochs != sorted(set(epochs)):
            raise ValueError(f"must rise and not repeat, such as {sorted(set(epochs))}")
        return epochs

    @model_validator(mode="after")
    def _length(self) -> Self:
        count, unit = self.training.length.split()
        if unit.startswith("epoch") and self.epochs[-1] > int(count):
            raise ValueError(f"early.epochs ends at {self.epochs[-1]}, but early.training.length is {self.training.length}")
        return self


class Score(Section):
    """Which scores are computed, each for every cohort at every epoch of early.epochs."""

    scores: Annotated[list[ScoreName], Field(min_length=1)] = list(get_args(ScoreName))


class Aggregate(Section):
    """The table of all images, how reliable its rankings are, and the suspects."""

    suspects: Annotated[int, Field(ge=1)] = 50  # how many images of the highest EL2N are listed for review
    suspects_epoch: Annotated[int, Field(ge=0)] | None = None  # the epoch of that EL2N; the last one if left out
    splits: Annotated[int, Field(ge=1)] = 20  # random splits of the seeds into disjoint halves, per number of seeds
    seed: Seed = 0  # of the random splits


class Select(Section):
    """The subsets: every method at every keep."""

    methods: Annotated[list[str], Field(min_length=1)] = ["el2n", "grand", "random"]
    keep: Annotated[list[Annotated[float, Field(gt=0)] | Annotated[int, Field(ge=1)]], Field(min_length=1)] = [0.3, 0.5, 0.7]
    epoch: Annotated[int, Field(ge=0)] = 10  # of the scores, where a method does not name its own
    seed: Seed = 0  # of random subsets

    @field_validator("methods")
    @classmethod
    def _methods(cls, methods: list[str]) -> list[str]:
        for text in methods:
            parse_method(text)
        if len(set(methods)) != len(methods):
            raise ValueError("names a method twice")
        if "random" not in methods:
            raise ValueError("must hold random: every method is compared with a random subset of the same size")
        return methods

    @field_validator("keep")
    @classmethod
    def _keep(cls, keep: list[float | int]) -> list[float | int]:
        for value in keep:
            if isinstance(value, float) and value >= 1:
                raise ValueError(f"{value} is not a share kept: give a share between 0 and 1, or a whole number of images")
        if len(set(keep)) != len(keep):
            raise ValueError("names a share twice")
        return keep


class Retrain(Section):
    """Fresh networks trained on every subset, and on all data."""

    seeds: Annotated[list[Seed], Field(min_length=1)] = [100, 101, 102]
    network: Network = Network()
    training: Training = Training()
    budget: Literal["steps", "epochs"] = "steps"  # a subset is trained for as many steps, or epochs, as all data

    @field_validator("seeds")
    @classmethod
    def _seeds(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("names a seed twice")
        return seeds


class Figures(Section):
    """How the pictures look."""

    dpi: Annotated[int, Field(ge=50, le=600)] = 120
    font_size: Annotated[float, Field(ge=4, le=30)] = 9.0  # points
    per_class: Annotated[int, Field(ge=1, le=20)] = 5  # easiest and hardest images shown of every class
    suspects: Annotated[int, Field(ge=1, le=100)] = 30  # suspects shown


class Params(Section):
    """All of params.yaml."""

    download: Download = Download()
    labels: Labels = Labels()
    early: Early = Early()
    score: Score = Score()
    aggregate: Aggregate = Aggregate()
    select: Select = Select()
    retrain: Retrain = Retrain()
    figures: Figures = Figures()

    @model_validator(mode="after")
    def _across_sections(self) -> Self:
        """What one section says of another must hold: the scores and epochs that are selected by are computed."""
        epochs = ", ".join(map(str, self.early.epochs))
        for text in self.select.methods:
            method = parse_method(text)
            if method.score not in self.score.scores and method.score != "random":
                raise ValueError(f"select.methods: {text!r} needs the score {method.score}: add it to score.scores")
            epoch = self.select.epoch if method.epoch is None else method.epoch
            if method.by_epoch and epoch not in self.early.epochs:
                key = "select.epoch" if method.epoch is None else f"select.methods: {text!r}: epoch"
                raise ValueError(f"{key} {epoch} is not scored; early.epochs has {epochs}")
        suspects = self.aggregate.suspects_epoch
        if suspects is not None and suspects not in self.early.epochs:
            raise ValueError(f"aggregate.suspects_epoch {suspects} is not scored; early.epochs has {epochs}")
        if "el2n" not in self.score.scores:
            raise ValueError("score.scores must hold el2n: the suspects and the reliability are found by it")
        shared = sorted(set(self.retrain.seeds) & {s for seeds in self.early.cohorts.values() for s in seeds})
        if shared:
            raise ValueError(f"retrain.seeds: {shared[0]} is a seed of early.cohorts too; retraining starts from a fresh one")
        return self


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check a whole params file.

    Raises UserError, in one line that names the file and the key, if it is missing, is not YAML, or breaks the schema.
    """
    from ruamel.yaml import YAML, YAMLError  # YAML 1.2, as DVC reads it: 5e-4 is a number, which PyYAML takes for text

    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; copy one from recipes/") from None
    try:
        values = YAML(typ="safe").load(StringIO(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise UserError(f"{path}{f' line {mark.line + 1}' if mark else ''}: not YAML: {problem}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must be a map of sections: {', '.join(Params.model_fields)}")
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """The first thing wrong, in one line, with the key's full path and what would be right; and how many more there are."""
    first = error.errors()[0]
    # pydantic adds the alternatives of a union to the path ("constrained-int"); a user's key never holds a dash
    key = ".".join(str(part) for part in first["loc"] if "-" not in str(part) and part not in ("float", "int"))
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        known = _fields_at(first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        message = f"no such key; {hint}"
    elif first["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, not {first['input']!r}"
    # _explain's own value errors of a whole section or file name their key themselves
    text = f"{key}: {message}" if key and not message.startswith(key.split(".")[0] + ".") else message
    others = len({e["loc"][:2] for e in error.errors()}) - 1
    return text + (f" (and {others} more like it)" if others > 0 else "")


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Params
    for part in location:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


class View:
    """The part of the params that one stage declares; reading any other key is an error.

    So that a stage's output can depend on nothing that dvc.yaml does not know of (the cache would go stale unnoticed).
    """

    def __init__(self, values: Any, declared: Iterable[str], path: str = "") -> None:
        self._values, self._declared, self._path = values, tuple(declared), path

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __getitem__(self, name: str) -> Any:
        path = f"{self._path}.{name}" if self._path else name
        value = self._values[name] if isinstance(self._values, dict) else getattr(self._values, name)
        if any(path == key or path.startswith(f"{key}.") for key in self._declared):
            return value
        if any(key.startswith(f"{path}.") for key in self._declared):
            return View(value, self._declared, path)
        raise UndeclaredParameterError(f"{path} is read, but dvc.yaml declares only {', '.join(self._declared)}")


class UndeclaredParameterError(Exception):
    """A stage read a parameter that dvc.yaml does not declare for it: a mistake in the pipeline, not of the user."""


__all__ = ["Method", "Params", "UndeclaredParameterError", "View", "load_params", "parse_method", "steps"]
