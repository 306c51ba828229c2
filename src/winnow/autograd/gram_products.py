"""What one layer adds to the Gram matrix of the gradients of all logits of n examples.

A row of the Jacobian belongs to an example i and a logit c, and stands at i * k + c. All functions add to the lower
triangle of the Gram matrix [n * k, n * k] at least; what they add above the diagonal means nothing.

The row of a weight is a matrix, W_ic = sum_p g_icp a_ip^T over the P positions of the image. The layer's inputs a do
not depend on the logit. The inner product of two rows has two forms, and each layer takes the cheaper:

    <W_ic, W_jd> = sum over the entries of W                          a * g multiplications for a pair of rows
                 = sum_p g_icp . (sum_q (a_ip . a_jq) g_jdq)          P g + P^2 (g / k + a / k^2)

The first is a product of large matrices, which needs a few columns of the layer's Jacobian at a time. The second forms
no W, and uses that k rows share their inputs: it takes far fewer multiplications in the late layers of a convolutional
network. Source: Novak, Sohl-Dickstein, Schoenholz 2022, "Fast finite width neural tangent kernel" (structured
derivatives).
"""

from torch import Tensor

# What a tile may take, in bytes: on a processor about as much as its caches hold.
TILE_BYTES_OF_PROCESSOR, TILE_BYTES_OF_CARD = 2**21, 2**28

# A multiplication in the batches of small products over pairs of positions takes the time of so many in a large one.
PAIR_COST = 2

ROWS = 128  # in a block of the product of a matrix with itself, of which only the lower triangle of blocks is computed


def add_rows(gram: Tensor, rows: Tensor) -> None:
    """Rows of the Jacobian as they are, [k, n, ...], such as those of a bias."""
    _add_product(gram, rows.flatten(2).transpose(0, 1).flatten(0, 1))


def add_weight(gram: Tensor, inputs: Tensor, gradients: Tensor) -> None:
    """The weight of a layer, from its inputs [n, groups, a, P] and its outputs' gradients [k, n, groups, g, P].

    A group of channels is a layer of its own: its outputs depend on its inputs alone.
    """
    (n, groups, a, positions), (k, g) = inputs.shape, (len(gradients), gradients.shape[3])
    if positions == groups == 1:
        rows = gradients.transpose(0, 1).reshape(n * k, g)
        inputs = inputs.flatten(1)
        gram.view(n, k, n, k).add_((rows @ rows.T).view(n, k, n, k).mul_((inputs @ inputs.T)[:, None, :, None]))
        return
    by_entries = n * k * a * g * (n * k / 2 + positions)
    by_pairs = n * n / 2 * (positions**2 * (k * g + a) + positions * g * k**2)
    if groups == 1 and PAIR_COST * by_pairs < by_entries:
        _add_by_pairs(gram, inputs.squeeze(1), gradients.squeeze(2))
    else:
        _add_by_entries(gram, inputs, gradients)


def _add_by_entries(gram: Tensor, inputs: Tensor, gradients: Tensor) -> None:
    (n, groups, a, positions), (k, g) = inputs.shape, (len(gradients), gradients.shape[3])
    columns = max(1, _tile(gram) // (n * k * groups * g))
    images = max(1, _tile(gram) // (k * groups * g * (positions + columns)))
    for start in range(0, a, columns):
        taken = inputs[:, :, start : start + columns].transpose(2, 3)
        entries = gram.new_empty(n, k, groups, g, taken.shape[3])
        for first in range(0, n, images):
            some = slice(first, first + images)
            of_images = gradients[:, some].permute(1, 2, 0, 3, 4).flatten(2, 3)  # [b, groups, k * g, P]
            entries[some] = (of_images @ taken[some]).unflatten(2, (k, g)).transpose(1, 2)
        _add_product(gram, entries.view(n * k, -1))


def _add_by_pairs(gram: Tensor, inputs: Tensor, gradients: Tensor) -> None:
    """inputs [n, a, P], gradients [k, n, g, P]."""
    n, (k, _, g, positions) = len(inputs), gradients.shape
    gradients = gradients.transpose(0, 1).reshape(n, k * g, positions)
    images = max(1, _tile(gram) // (k * g * positions))
    for i in range(n):
        of_image = gradients[i].view(k, g * positions)
        for first in range(0, i + 1, images):
            others = slice(first, min(first + images, i + 1))
            pairs = inputs[others].transpose(1, 2) @ inputs[i]  # of a position of the others and one of the image
            through = (gradients[others] @ pairs).view(-1, g * positions)
            gram[i * k : (i + 1) * k, others.start * k : others.stop * k].addmm_(of_image, through.T)


def _add_product(gram: Tensor, rows: Tensor) -> None:
    """rows @ rows.T"""
    for start in range(0, len(rows), ROWS):
        stop = start + ROWS
        gram[start:, start:stop].addmm_(rows[start:], rows[start:stop].T)


def _tile(gram: Tensor) -> int:
    """How many numbers a tile holds."""
    tile_bytes = TILE_BYTES_OF_PROCESSOR if gram.device.type == "cpu" else TILE_BYTES_OF_CARD
    return tile_bytes // gram.element_size()


def whole(gram: Tensor) -> Tensor:
    """The symmetric matrix whose lower triangle this is."""
    return gram.tril() + gram.tril(-1).T
