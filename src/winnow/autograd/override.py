"""Replacing torch's calls inside a network by rules of our own."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode

Pair = tuple[int, int]


class Override(TorchFunctionMode):
    """While entered, passes every torch call that has a rule to that rule, with the same arguments.

    Calls that a rule makes itself are not caught again.
    """

    def __init__(self, rules: Mapping[Any, Callable[..., Any]]) -> None:
        super().__init__()
        self.rules = rules

    def __torch_function__(self, call: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        return self.rules.get(call, call)(*args, **(kwargs or {}))


class Conv2dCall(NamedTuple):
    """The arguments of ``torch.conv2d``, as it takes them."""

    input: Tensor
    weight: Tensor
    bias: Tensor | None = None
    stride: int | Pair = 1
    padding: int | Pair | str = 0
    dilation: int | Pair = 1
    groups: int = 1


class BatchNormCall(NamedTuple):
    """The arguments of ``torch.nn.functional.batch_norm``, as it takes them."""

    input: Tensor
    running_mean: Tensor | None
    running_var: Tensor | None
    weight: Tensor | None = None
    bias: Tensor | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


class LinearCall(NamedTuple):
    """The arguments of ``torch.nn.functional.linear``, as it takes them."""

    input: Tensor
    weight: Tensor
    bias: Tensor | None = None


def pair(value: int | Pair) -> Pair:
    """A stride, padding or dilation as (rows, columns)."""
    return (value, value) if isinstance(value, int) else (value[0], value[-1])
