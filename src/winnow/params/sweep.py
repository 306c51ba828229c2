"""The section sweep: further subsets, beside those of the section select."""

from typing import Annotated

from pydantic import AfterValidator, field_validator

from winnow.params.base import Section
from winnow.params.select import Keep, sizes


class Sweep(Section):
    """Further subsets: every one of these methods at every one of these keeps. Either list may be empty.

    So a comparison of epochs, of numbers of seeds or of windows at one size trains no method at any other size. Unlike
    those of select, these subsets may leave out a class.
    """

    methods: list[str]  # short names (selection.names), or names in select.methods
    keep: Annotated[list[Keep], AfterValidator(sizes)]

    @field_validator("methods")
    @classmethod
    def _methods(cls, methods: list[str]) -> list[str]:
        if len(set(methods)) != len(methods):
            raise ValueError("names a method twice")
        return methods
