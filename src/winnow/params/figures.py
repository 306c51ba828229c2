"""The section figures: how the pictures look."""

from typing import Annotated

from pydantic import Field

from winnow.params.base import Section


class Figures(Section):
    """How the pictures look."""

    dpi: Annotated[int, Field(ge=50, le=600)]
    font_size: Annotated[float, Field(ge=4, le=30)]  # points
    per_class: Annotated[int, Field(ge=1, le=20)]  # easiest and hardest images shown of every class
    suspects: Annotated[int, Field(ge=1, le=100)]  # suspects shown
