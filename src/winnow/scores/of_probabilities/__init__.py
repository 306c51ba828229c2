"""Scores of the probabilities at each visit. Each takes that of the label and the largest of the others, float64
[epochs, n] each, NaN where the image was not visited, and gives the score after every epoch, float32 [epochs, n]."""
