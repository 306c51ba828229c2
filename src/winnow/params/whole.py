"""All of params.yaml: every section, and what one section says of another."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from winnow.params.base import Section, read_yaml, validate
from winnow.params.download import Download, Labels
from winnow.params.early import Early, Score
from winnow.params.figures import Figures
from winnow.params.retrain import Retrain
from winnow.params.select import Aggregate, Select
from winnow.subsets.method import parse_method


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
        """The scores and epochs that are selected by are computed; retraining starts from networks of its own."""
        epochs = ", ".join(map(str, self.early.epochs))
        for text in self.select.methods:
            method = parse_method(text)
            if method.score not in [*self.score.scores, *self.score.gradients, "random"]:
                section = "gradients" if method.score == "grand" else "scores"
                raise ValueError(f"select.methods: {text!r} needs {method.score}: add it to score.{section}")
            epoch = self.select.epoch if method.epoch is None else method.epoch
            if method.by_epoch and epoch not in self.early.epochs:
                key = "select.epoch:" if method.epoch is None else f"select.methods: {text!r}: epoch"
                raise ValueError(f"{key} {epoch} is not scored; early.epochs has {epochs}")
            if method.score == "forgetting" and epoch == 0:
                raise ValueError(f"select.methods: {text!r} at epoch 0: forgetting is counted from epoch 1 on")
        suspects = self.aggregate.suspects_epoch
        if suspects is not None and suspects not in self.early.epochs:
            raise ValueError(f"aggregate.suspects_epoch: {suspects} is not scored; early.epochs has {epochs}")
        shared = sorted(set(self.retrain.seeds) & {s for seeds in self.early.cohorts.values() for s in seeds})
        if shared:
            raise ValueError(f"retrain.seeds: {shared[0]} is a seed of early.cohorts too; retraining needs fresh ones")
        return self


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check a whole params file.

    Raises UserError, in one line that names the file and the key, if it is missing, is not YAML, or breaks the schema.
    """
    return validate(Params, read_yaml(path), path)
