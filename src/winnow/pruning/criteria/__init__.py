"""Criteria, which score weights: each is a file, with a function of the same name.

The function takes a ``Context`` and its options as keyword arguments. It returns scores by layer, in the shape of the
layer's weights: the higher its score, the longer a weight is kept.

A module may also have a function ``update``, for levels of ``weights: updated``. It takes the context, the mask after
the cut and the same options, and returns the layers' weights, changed to make up for those that the cut has pruned.
"""
