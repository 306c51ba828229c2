"""Scores of what pruning does to a network's outputs. Each takes the log softmax of the dense network and of the pruned
one for the same images, float [n, classes] each, and returns [n]."""
