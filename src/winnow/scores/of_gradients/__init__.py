"""Scores that take a pass through the network. Each takes a network in evaluation mode, inputs [b, ...] and labels [b],
and gives a tensor [b]. Raises ValueError for a network that it has no value for."""
