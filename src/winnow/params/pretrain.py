"""The section pretrain: networks trained without labels."""

from typing import Annotated

from pydantic import Field, field_validator

from winnow.params.base import Name, Replicates, Section
from winnow.params.named import UsedNetwork, UsedTraining
from winnow.params.training import Training


class Pretraining(Section):
    """Networks that learn to give two random views of an image the same features."""

    seeds: Annotated[Replicates, Field(min_length=1)]  # none of early's, of retrain's or of another cohort's
    network: UsedNetwork  # its last layer is the first of a projection, which only this training has
    training: UsedTraining  # of augment, only flip counts: views take the place of padded crops

    @field_validator("training")
    @classmethod
    def _training(cls, training: Training) -> Training:
        if training.batch_size == 1:
            raise ValueError("its batch_size is 1, and the loss compares the images of a batch; take a larger one")
        return training


class Pretrain(Section):
    """Cohorts for scores of features that no label has shaped, such as self_supervised_prototypes."""

    cohorts: dict[Name, Pretraining]
