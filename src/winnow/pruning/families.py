"""Where the criteria, the allocations and the ways of pruning during training are: each a file in one of these
packages, with a function of its name. What such a function takes and gives is said in its package. Its keyword
arguments are the keys of a level in params.yaml, of their types. It raises ValueError, in words that name the option,
for options that cannot be met.
"""

CRITERIA = "winnow.pruning.criteria"
ALLOCATIONS = "winnow.pruning.allocations"
DURING = "winnow.pruning.during"
