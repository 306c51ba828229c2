"""Scores of the features of a network that was trained without labels. Each takes the features, float32 [n, d], and the
number of classes, and returns [n]."""
