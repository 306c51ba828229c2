"""The section second_split: networks trained on one half of the images and then on the other."""

from typing import Annotated

from pydantic import Field

from winnow.params.base import Name, Replicates, Section


class SecondSplit(Section):
    """Seeds that train on two halves in turn, with the network and the whole training of early, for the score
    second_split_forgetting. Each seed splits anew, and trains twice: on the first half before the second, and the
    other way round."""

    cohorts: dict[Name, Annotated[Replicates, Field(min_length=1)]]  # none of early's, of retrain's or of transfer's
