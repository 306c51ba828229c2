"""Scores of networks that each trained on a part of the images (cohorts with folds or a share). Each takes log softmax,
float32 [n, classes], and labels, int64 [n], and returns how well the network does on each image, [n]. The score is the
mean of that over the networks that trained on the image, less the mean over the others."""
