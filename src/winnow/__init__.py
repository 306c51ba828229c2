"""Winnow separates what a training run needs from what it does not, in the data and in the network."""
