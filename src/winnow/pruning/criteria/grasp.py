"""GraSP (Wang, Zhang, Grosse 2020, "Picking winning tickets before training by preserving gradient flow", eq. 8)."""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

if TYPE_CHECKING:  # params.yaml is checked without torch
    from winnow.pruning.context import Context, Scores


def grasp(
    context: "Context",
    *,
    batches: Annotated[int, Ge(1)] = 1,
    batch_size: Annotated[int, Ge(1)] = 128,
    temperature: Annotated[float, Gt(0)] = 200.0,
    absolute: bool = False,
) -> "Scores":
    """w H g: how much the squared norm of the gradient g falls, to first order, if the weight is set to zero, up to a
    factor. So the weights that go first are those whose removal raises it most. H is the Hessian over the remaining
    weights. The paper's score is S = -w H g, of which it prunes the highest.

    The loss is the mean over ``batches`` batches of ``batch_size`` images, with the logits divided by ``temperature``.
    In training mode: batch norm normalises by each batch's own statistics. The paper draws 10 to 25 images of each
    class; here they are any images. absolute: score |w H g| instead, which Frankle et al. 2021, "Pruning neural
    networks at initialization: why are we missing the mark?", find to be better.
    """
    from winnow.pruning.second_order import gradient, hessian_product

    mean = gradient(context, batches, batch_size, training=True, temperature=temperature)
    curved = hessian_product(context, mean, batches, batch_size, training=True, temperature=temperature)
    scores = {name: weight * curved[name] for name, weight in context.weights.items()}
    return {name: score.abs() for name, score in scores.items()} if absolute else scores
