"""STR, soft threshold reparameterisation (Kusupati et al. 2020, "Soft threshold weight reparameterization for learnable
sparsity", sec. 3)."""

from typing import TYPE_CHECKING

from winnow.pruning.during_level import During

if TYPE_CHECKING:  # params.yaml is checked without torch
    from torch import Tensor

    from winnow.training.loop import Changes, Run
    from winnow.training.optimisers import Weights

OWN_SCORES = True  # the level takes no criterion
OWN_AMOUNT = True  # the training settles how much is pruned
BY_GRADIENTS = True  # gradients decide which weights stay


def soft_threshold(_level: During, *, threshold: float = -5.0) -> "Changes":
    """Every layer learns a threshold, in place of a density: the network uses sign(v) relu(abs(v) - sigmoid(s)), with
    one s a layer. The optimiser trains v and s, in place of the weights.

    threshold: the first value of every s. Weight decay pulls it towards 0, where the threshold is a half; that and the
    gradient settle the density, for which nobody can ask. So the training's weight decay, learning rate and length all
    matter. The paper takes -3200 for 100 epochs of ImageNet.

    A weight below the threshold has no gradient: it returns only by momentum, or as the threshold falls. A layer may
    lose all its weights, whatever ``pruning.floor`` says. What remains is smaller than v by the threshold.
    """
    import torch
    from torch import nn

    from winnow.training.loop import Changes, parameters

    @torch.no_grad()
    def begin(run: "Run") -> None:
        for name, (weight, _) in zip(run.mask, run.pruned, strict=True):
            run.memory[f"weight.{name}"] = weight.detach().clone()
            run.memory[f"threshold.{name}"] = weight.new_tensor(threshold, requires_grad=False)
        shrink(run)

    def trained(run: "Run") -> "Weights":
        found = dict(parameters(run))
        for name in run.mask:
            if name in found:
                weight, own = (nn.Parameter(run.memory[f"{kind}.{name}"]) for kind in ("weight", "threshold"))
                gradient = found[name].grad
                assert gradient is not None
                at = own.sigmoid()
                weight.grad = gradient * (weight.abs() > at)
                own.grad = -(weight.grad * weight.sign()).sum() * at * (1 - at)
                found |= {name: weight, f"{name}.threshold": own}
        return found

    @torch.no_grad()
    def shrink(run: "Run") -> None:
        mask: dict[str, Tensor] = {}
        for name, (weight, pruned) in zip(run.mask, run.pruned, strict=True):
            own = run.memory[f"weight.{name}"]
            at = run.memory[f"threshold.{name}"].sigmoid()
            weight.copy_(own.sign() * (own.abs() - at).relu())
            pruned.copy_(weight == 0)
            mask[name] = ~pruned.cpu()
        run.mask = mask

    return Changes(shrink, trained, begin)
