"""The exact norm of every example's gradient with respect to all weights (GraNd), in one forward and one backward pass.

Backpropagation brings to every layer the gradient G of each example's loss with respect to the layer's output, and the
layer's input A is known from the forward pass. The gradient with respect to its weights is a product of the two, for a
linear layer G^T A, and only its norm is wanted: it is taken layer by layer and added up, so no example's gradient of the
whole network is ever in memory, and no pass is made per example. (Goodfellow 2015, "Efficient per-example gradient
computations", for linear layers; Rochette et al. 2019 for convolutions; the form in Gram matrices, which is cheaper where
positions are few, is that of Bu et al. 2022, "Scalable and efficient training of large convolutional neural networks with
differential privacy".)

How it is hooked in: while the network runs, calls that take a trainable weight (``conv2d``, ``linear``, ...) are replaced
by autograd functions whose backward pass adds the layer's squared norms to a sum and hands *no* gradient to the weight. So
a weight that autograd nevertheless finds a gradient for was used in some way that is not covered, which is an error: a
layer can not be left out unnoticed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_input  # noqa: F401
from torch.overrides import TorchFunctionMode

from winnow.errors import UserError
