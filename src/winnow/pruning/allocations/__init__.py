"""Allocations, which divide a cut between layers: each is a file, with a function of the same name.

The function takes the layers (``Layers``, in the alphabetical order of their names), how many weights they keep in
total, and its options as keyword arguments. It returns how many weights each layer keeps. The counts sum to the total;
each is at least its layer's ``least`` and at most the layer's remaining weights. Each layer then keeps its highest
scores, and among equal scores the later ones.
"""
