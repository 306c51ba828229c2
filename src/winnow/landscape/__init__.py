"""The loss around a trained network: along lines, its curvature, and how much can be pruned before it rises."""
