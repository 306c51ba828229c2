"""Scores of how networks of several seeds differ. Each takes the log softmax of all, float32 [seeds, n, classes], NaN
where a seed has not trained on the image, and gives each seed's part, float32 [seeds, n], the mean of which is the
score. These parts are not independent, so no spread over the seeds is told of them."""
