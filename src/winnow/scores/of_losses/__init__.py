"""Scores of the loss of an image, visit by visit. Each takes the cross-entropies at the visits, float [epochs, n]
(``training.loop.Run.losses``; the probability of the label is exp(-loss)), and gives the score after every epoch,
float32 [epochs, n]."""
