"""Scores of what networks put out. Each takes log softmax, float32 [n, classes], and labels, int64 [n], and
gives [n]."""
