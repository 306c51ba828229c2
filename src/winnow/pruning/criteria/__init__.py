"""Criteria, which score weights: each is a file, with a function of the same name.

The function takes a ``Context`` and its options as keyword arguments. It returns scores by layer, in the shape of the
layer's weights: the higher its score, the longer a weight is kept.
"""
