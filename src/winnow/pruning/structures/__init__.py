"""Structures, the patterns that the remaining weights form: each is a file, with a function of the same name.

The function takes scores by layer, in the shapes of the layers' weights, the mask of the remaining weights, and its
options as keyword arguments. It returns the mask of those that stay. It says itself how many these are, so a level with
a structure takes no ``prune``.

If its module sets TAKES_CONTEXT to True, the function takes the criterion's ``Context`` behind the mask.

If its module sets TAKES_PRUNE to True, the level takes ``prune`` and an allocation. Then the function has three more
arguments behind the mask: the criterion's ``Context``, how many weights remain at most, and the allocation.
"""
