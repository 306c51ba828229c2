"""The section connectivity: lines between solutions, and the images on which they are measured."""

from typing import Annotated

from pydantic import Field

from winnow.params import landscape
from winnow.params.base import Section


class Subsets(Section):
    """Training images of the lowest and of the highest scores, and as many at random, for lines between children."""

    score: str  # whose mean over all seeds ranks the images
    epoch: int | None  # of early.epochs, at which; the last one that has the score if null
    images: Annotated[int, Field(ge=0)]  # in each subset; 0: no subsets


class Connectivity(landscape.Connectivity):
    """Error and loss along the straight lines between solutions, and their barriers."""

    subsets: Subsets
