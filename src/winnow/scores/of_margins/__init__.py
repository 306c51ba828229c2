"""Scores of how sure a network was of an image, visit by visit. Each takes the margins of the logits at the visits,
float [epochs, n] (``training.loop.Run.margins``), and gives the score after every epoch, float32 [epochs, n]."""
