"""The packages of the criteria, the allocations, the structures and the ways to prune during training. Each method is a
file there, with a function of the same name. The package says what such a function takes and gives. Its keyword
arguments are keys of a level in params.yaml, and have their types. It raises a ValueError that names the option if an
option is impossible.
"""

CRITERIA = "winnow.pruning.criteria"
ALLOCATIONS = "winnow.pruning.allocations"
DURING = "winnow.pruning.during"
STRUCTURES = "winnow.pruning.structures"
