"""The schema of params.yaml, a module for the sections that stages read together: units, ranges and defaults."""

from winnow.params.base import *
from winnow.params.download import *
from winnow.params.training import *
