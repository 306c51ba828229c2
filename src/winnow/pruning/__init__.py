"""Pruning: how weights are scored, how many each layer keeps, when they are pruned, and what the survivors start
from."""
