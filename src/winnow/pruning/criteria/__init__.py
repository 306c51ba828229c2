"""What a weight is worth: each criterion a file, with a function of its name.

The function takes a ``Context``, and its options as keyword arguments, and gives scores by layer, of the shape of the
weights: the higher, the longer a weight is kept.
"""
