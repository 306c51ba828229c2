"""The squared norm of each example's weight gradient in one layer, from its input A and its output's gradient G.

The functions are pure, and the n examples of a batch share nothing. An example's weight gradient is a sum of outer
products over the P positions of its image (or its tokens), W = sum_p g_p a_p^T. Its squared norm is the sum of the
squared entries of W or, without forming W, a sum over pairs of positions:

    |W|^2 = sum_pq (a_p . a_q) (g_p . g_q) = <A A^T, G G^T>

The first form takes P * a * g multiplications. The second takes P^2 * (a + g), which is fewer in the late layers of a
convolutional network, where positions are few and channels many. Both handle a few examples at a time.

Sources: Goodfellow 2015, "Efficient per-example gradient computations" (linear layers, P = 1); Rochette, Manoel, Tramel
2019, "Efficient per-example gradient computations in convolutional neural networks"; Bu, Mao, Xu 2022, "Scalable and
efficient training of large convolutional neural networks with differential privacy" (the choice between the two forms).
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from winnow.autograd.override import Pair

# Memory for one tile of examples while its norms are computed, in bytes. On a CPU it is about one core's second-level
# cache, because what is written is read again at once; a GPU needs more work at a time.
TILE_BYTES_OF_PROCESSOR, TILE_BYTES_OF_CARD = 2**21, 2**28

# Handling an entry of a Gram matrix takes about as long as this many multiplications inside a matrix product.
ENTRY_COST = 16


def linear_squares(inputs: Tensor, gradients: Tensor) -> Tensor:
    """Squared norms [n] for the weight of a linear layer; inputs [n, ..., a], output gradients [n, ..., g]."""
    if inputs.dim() == 2:
        return inputs.square().sum(1) * gradients.square().sum(1)
    inputs, gradients = inputs.flatten(1, -2), gradients.flatten(1, -2)
    (positions, a), g = inputs.shape[1:], gradients.shape[2]
    gram = positions * positions * (a + g + 2 * ENTRY_COST) < positions * a * g

    def squares(inputs: Tensor, gradients: Tensor) -> Tensor:
        return _inner(_gram(inputs), _gram(gradients)) if gram else _square(gradients.transpose(1, 2) @ inputs)

    return _in_tiles(squares, 2 * positions * positions if gram else a * g, inputs, gradients)


def conv2d_squares(
    inputs: Tensor, gradients: Tensor, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Tensor:
    """Squared norms [n] for the weight of a convolution, without its bias.

    inputs [n, channels, h, w]; output gradients [n, out, h', w']. Fastest if both lie in channels-last memory.
    """
    (height, width), (rows, columns) = inputs.shape[2:], gradients.shape[2:]
    a, g, taps = inputs.shape[1] // groups, gradients.shape[1] // groups, kernel[0] * kernel[1]
    positions, padded = rows * columns, (height + 2 * padding[0]) * (width + 2 * padding[1])
    grid = (rows - 1) * (width + 2 * padding[1]) + columns  # positions counted along the padded rows

    # for each way to compute the norm of one group of one example: multiplications, and numbers in memory
    patches = padded * kernel[1] * a  # at most: fewer with a stride
    costs: dict[Callable[..., Tensor], tuple[int, int]] = {
        _conv2d_by_entries: (positions * taps * a * g, patches + kernel[1] * a * g),
        _conv2d_by_pairs: (
            positions * positions * (taps * a + g + 2 * ENTRY_COST),
            patches + 3 * positions * positions,
        ),
    }
    if stride == (1, 1):
        multiplications = padded * padded * (a + ENTRY_COST * (sum(kernel) + 1)) + grid * grid * g
        costs[_conv2d_by_shifted_pairs] = (multiplications, 3 * padded * padded)
    cheapest = min(costs, key=lambda way: costs[way][0])
    if cheapest is _conv2d_by_entries and stride == (1, 1) and dilation[1] == 1 and groups == 1:
        return _conv2d_by_entries_along_rows(inputs, gradients, kernel, padding, dilation[0])

    def squares(inputs: Tensor, gradients: Tensor) -> Tensor:
        # [n, h, w, channels]: the adjacent channels of one position are a row of the matrix A, or G
        images, gradients = inputs.permute(0, 2, 3, 1), gradients.permute(0, 2, 3, 1)
        images = functional.pad(images, (0, 0, padding[1], padding[1], padding[0], padding[0])).contiguous()
        return cheapest(images, gradients, kernel, stride, dilation, groups).view(-1, groups).sum(1)

    return _in_tiles(squares, groups * costs[cheapest][1], inputs, gradients)


def _conv2d_by_entries(
    images: Tensor, gradients: Tensor, kernel: Pair, stride: Pair, dilation: Pair, groups: int
) -> Tensor:
    """Squared norms [n * groups], from the entries of W, one row of the kernel at a time."""
    rows_of_kernel = _patches(images, gradients.shape[1:3], kernel, stride, dilation, groups)
    transposed = _by_group(gradients, groups).transpose(1, 2)
    return torch.stack([_square(transposed @ patches) for patches in rows_of_kernel]).sum(0)


def _conv2d_by_entries_along_rows(
    inputs: Tensor, gradients: Tensor, kernel: Pair, padding: Pair, dilation: int
) -> Tensor:
    """Squared norms [n], from the entries of W, for stride 1 and kernel rows without dilation.

    Nothing is copied once per tap. In channels-last memory, the k pixels that a kernel row meets at one position are
    one run of numbers. The runs of all positions overlap, so they cannot enter one matrix product. But the runs of
    every k-th position lie end to end and form a matrix in place, so each kernel row is a sum of k products. The rows
    of image and gradient are both as long as those of the padded image; a gradient row is zero behind its end.
    """
    (n, a, height, width), (g, rows, columns), taps = inputs.shape, gradients.shape[1:], kernel[1]
    line = width + 2 * padding[1]
    tile = min(n, _tile(line * (height * a + rows * g) + taps * a * g, inputs))
    # shared by all tiles, so that margins are set to zero once
    images, outputs = inputs.new_empty((tile, height, line, a)), gradients.new_empty((tile, rows, line, g))
    before, pixels, behind = images.split((padding[1], width, padding[1]), 2)
    within, outside = outputs.split((columns, line - columns), 2)
    for margin in (before, behind, outside):
        margin.zero_()

    def entries(n: int, tap: int) -> Tensor | None:
        """One kernel row of W, [n, g, taps * a]; None if it does not meet the image."""
        down = tap * dilation - padding[0]  # the tap meets the image this many rows below the output's row
        first, last = max(0, -down), min(rows, height - down) - 1  # rows of the output whose tap lies in the image
        if last < first:
            return None
        positions, total = (last - first) * line + columns, None
        for offset in range(min(taps, positions)):
            count = (positions - offset + taps - 1) // taps
            left = outputs.as_strided((n, g, count), (rows * line * g, 1, taps * g), (first * line + offset) * g)
            right = images.as_strided(
                (n, count, taps * a), (height * line * a, taps * a, 1), ((first + down) * line + offset) * a
            )
            total = left @ right if total is None else total.baddbmm_(left, right)
        return total

    squares = []
    for some_inputs, some_gradients in zip(inputs.split(tile), gradients.split(tile), strict=True):
        size = len(some_inputs)
        pixels[:size].copy_(some_inputs.permute(0, 2, 3, 1))
        within[:size].copy_(some_gradients.permute(0, 2, 3, 1))
        rows_of_kernel = (entries(size, tap) for tap in range(kernel[0]))
        squares.append(sum((_square(row) for row in rows_of_kernel if row is not None), inputs.new_zeros(size)))
    return torch.cat(squares)


def _conv2d_by_pairs(
    images: Tensor, gradients: Tensor, kernel: Pair, stride: Pair, dilation: Pair, groups: int
) -> Tensor:
    """Squared norms [n * groups], from the pairs of positions."""
    first, *others = _patches(images, gradients.shape[1:3], kernel, stride, dilation, groups)
    pairs = _gram(first)
    for patches in others:
        pairs.baddbmm_(patches, patches.transpose(1, 2))
    return _inner(pairs, _gram(_by_group(gradients, groups)))


def _conv2d_by_shifted_pairs(
    images: Tensor, gradients: Tensor, kernel: Pair, stride: Pair, dilation: Pair, groups: int
) -> Tensor:
    """Squared norms [n * groups], from the pairs of positions, for stride 1.

    At position p of the output, the tap (i, j) of the kernel meets position p + i * width + j of the padded input, both
    counted along the padded rows. So the product of two patches is a sum over the taps of products of two pixels. All
    of these are in one small Gram matrix, further down its diagonal. The gradient is zero where a row of the output
    ends before the padded row does.
    """
    width, columns = images.shape[2], gradients.shape[2]
    along_rows = _diagonal_sum(_gram(_by_group(images, groups)), dilation[1], kernel[1])
    pairs = _diagonal_sum(along_rows, dilation[0] * width, kernel[0])
    gradients = functional.pad(gradients, (0, 0, 0, width - columns))
    return _inner(pairs, _gram(_by_group(gradients, groups)[:, : pairs.shape[1]]))


def _patches(
    images: Tensor, output: torch.Size, kernel: Pair, stride: Pair, dilation: Pair, groups: int
) -> list[Tensor]:
    """For each kernel row, the pixels that its taps meet at every output position: [n * groups, positions, taps * a].

    images: padded, [n, h, w, channels], contiguous. With stride 1 the kernel rows share one tensor: a lower kernel row
    starts further down in it.
    """
    (n, height), (rows, columns), a = images.shape[:2], output, images.shape[3] // groups
    image, row, column, _ = images.stride()
    overlapping = images.as_strided(
        (n, groups, height, columns, kernel[1], a),
        (image, a, row, column * stride[1], column * dilation[1], 1),
    )
    # copied once here, because a matrix product would copy its overlapping rows every time
    stacked = overlapping.contiguous().view(n * groups, height, columns, kernel[1] * a)
    starts = [tap * dilation[0] for tap in range(kernel[0])]
    return [stacked[:, start : start + (rows - 1) * stride[0] + 1 : stride[0]].flatten(1, 2) for start in starts]


def _by_group(pixels: Tensor, groups: int) -> Tensor:
    """[n, h, w, channels] as [n * groups, h * w, channels of a group]."""
    n, height, width, channels = pixels.shape
    split = pixels.reshape(n, height * width, groups, channels // groups).transpose(1, 2)
    return split.reshape(n * groups, height * width, channels // groups)


def _diagonal_sum(pairs: Tensor, step: int, count: int) -> Tensor:
    """The sum of ``count`` square windows of [n, p, p], each ``step`` further down the diagonal than the one before."""
    size = pairs.shape[1] - (count - 1) * step
    windows = [pairs[:, k * step : k * step + size, k * step : k * step + size] for k in range(count)]
    if count == 1:
        return windows[0]
    total = windows[0] + windows[1]
    for window in windows[2:]:
        total += window
    return total


def _gram(rows: Tensor) -> Tensor:
    return rows @ rows.transpose(1, 2)


def _inner(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2))


def _square(matrices: Tensor) -> Tensor:
    return matrices.square_().sum((1, 2))


def batch_norm_squares(
    inputs: Tensor, gradients: Tensor, mean: Tensor, rstd: Tensor, slope: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Squared norms [n] for weight and bias of a batch norm that uses its running statistics, and slope * gradients.

    inputs and output gradients [n, channels, ...]; running mean, 1 / sqrt(running variance + eps) and slope [channels].
    The third is the gradient with respect to the inputs, computed here while the gradients are in the cache.
    """
    dims, per_channel = tuple(range(2, inputs.dim())), (1, -1) + (1,) * (inputs.dim() - 2)
    mean, slope, scaled = mean.view(per_channel), slope.view(per_channel), torch.empty_like(gradients)
    weights, biases = inputs.new_empty(inputs.shape[:2]), gradients.new_empty(inputs.shape[:2])
    tile = _tile(4 * inputs[0].numel(), inputs)
    for x, g, s, weight, bias in zip(
        *(t.split(tile) for t in (inputs, gradients, scaled, weights, biases)), strict=True
    ):
        torch.mul(g, slope, out=s)
        products = (x - mean).mul_(g)
        if dims:
            torch.sum(products, dims, out=weight)
            torch.sum(g, dims, out=bias)
        else:
            weight.copy_(products)
            bias.copy_(g)
    return weights.mul_(rstd).square_().sum(1), biases.square_().sum(1), scaled


def _tile(numbers: int, given: Tensor) -> int:
    """How many examples to handle at a time, if each takes ``numbers`` numbers in memory."""
    tile_bytes = TILE_BYTES_OF_PROCESSOR if given.device.type == "cpu" else TILE_BYTES_OF_CARD
    # at least one example for each thread
    return max(tile_bytes // (max(1, numbers) * given.element_size()), torch.get_num_threads())


def _in_tiles(squares: Callable[..., Tensor], numbers: int, *tensors: Tensor) -> Tensor:
    """``squares`` of a few examples at a time, with ``numbers`` numbers in memory per example."""
    tile = _tile(numbers, tensors[0])
    if tile >= len(tensors[0]):
        return squares(*tensors)
    return torch.cat([squares(*parts) for parts in zip(*(t.split(tile) for t in tensors), strict=True)])
