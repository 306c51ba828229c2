"""Scores of how a network's outputs change over the scored epochs from 1 on. Each takes their log softmax, float32
[outputs, n, classes] in the order of the epochs, and gives the score after each of them, float32 [outputs, n]; what it
gives before the third (``when.FEWEST``) is not used."""
