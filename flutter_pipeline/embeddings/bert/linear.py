"""Matrix products with weights that are made ready once.

oneDNN multiplies from a blocked layout; a weight that is given plainly is copied into it at every
call. Knows nothing of transformers.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Linear = Callable[[Tensor], Tensor]

ROWS = 1024
"""For how many rows at a time the layout is chosen."""


def linear(weight: Tensor, bias: Tensor, gelu: bool = False) -> Linear:
    """``x @ weight.T + bias``, followed by the exact GELU where asked for.

    With weights in oneDNN's layout where the processor has use for it, else plain.
    """
    if has_layout(weight):
        return laid_out_linear(weight, bias, gelu)
    return plain_linear(weight, bias, gelu)


def has_layout(weight: Tensor) -> bool:
    """Whether oneDNN computes with this device and these numbers."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    return weight.dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def plain_linear(weight: Tensor, bias: Tensor, gelu: bool) -> Linear:
    """The product as torch has it, on any device."""
    if gelu:
        return lambda x: functional.gelu(functional.linear(x, weight, bias))
    return lambda x: functional.linear(x, weight, bias)


def laid_out_linear(weight: Tensor, bias: Tensor, gelu: bool) -> Linear:
    """The product from a blocked copy of the weight; GELU is applied before a value leaves."""
    ready = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), ROWS)
    multiply = torch.ops.mkldnn._linear_pointwise
    name, kind = ("gelu", "none") if gelu else ("none", "")
    return lambda x: multiply(x, ready, bias, name, [], kind)
