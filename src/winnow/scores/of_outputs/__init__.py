"""Scores of network outputs. Each takes log softmax, float32 [n, classes], and labels, int64 [n], and returns [n]."""
