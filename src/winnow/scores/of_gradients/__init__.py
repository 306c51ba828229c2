"""Scores that need a pass through the network. Each takes a network in evaluation mode, inputs [b, ...] and labels [b],
and returns a tensor [b]. It raises ValueError for a network for which it has no value."""
