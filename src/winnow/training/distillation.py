"""Knowledge distillation: a loss that asks for the outputs of a teacher too (Hinton et al. 2015; for training on a part
of the data Ben-Baruch et al. 2024)."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Teaching:
    """What a teacher says of n images, and how much that counts in the loss.

    probabilities: of the teacher at the temperature, float32 [n, classes]. weight: of the teacher's part, from 0 to 1.
    """

    probabilities: Tensor
    weight: float
    temperature: float

    def mixed(self, loss: Tensor, logits: Tensor, probabilities: Tensor, weights: Tensor | None = None) -> Tensor:
        """(1 - a) times the loss by the labels, plus a t^2 times the mean of ``divergences``, for a weight a and a
        temperature t: the loss of one batch, [].

        loss: the mean cross-entropy with the labels, []. logits: [b, classes]. probabilities: the rows of the batch,
        [b, classes]. weights: how much each image counts, [b]. The t^2 keeps the size of the gradients whatever t is.
        That the weight stands on the side of the teacher is a convention that papers do not share.
        """
        apart = divergences(logits, probabilities, self.temperature)
        taught = (apart if weights is None else apart * weights).mean()
        return (1 - self.weight) * loss + self.weight * self.temperature**2 * taught


def teaching(log_probabilities: np.ndarray, weight: float, temperature: float, device: torch.device) -> Teaching:
    """What a teacher of this log softmax, float [n, classes], says. On a device: 4 bytes an image and class."""
    softened = F.softmax(torch.from_numpy(log_probabilities).double() / temperature, dim=1)
    return Teaching(softened.float().to(device), weight, temperature)


def divergences(logits: Tensor, probabilities: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence of the student from the teacher, sum over classes of q (log q - log p), in nats: [b].

    q: the teacher's probabilities at the temperature, [b, classes]; p: the softmax of the logits divided by it.
    """
    outputs = F.log_softmax(logits.float() / temperature, dim=1)
    return F.kl_div(outputs, probabilities, reduction="none").sum(dim=1)
