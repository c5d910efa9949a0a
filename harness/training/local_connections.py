"""A layer that looks at small fields as a convolution does, and shares no weights between their places."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LocallyConnected2d(nn.Module):
    """A convolution whose every place has filters of its own (LeCun 1989, "Net-3": local and unshared connections).

    Inputs (batch, channels, height, width) become (batch, out_channels, rows, columns), as those of an `nn.Conv2d` of the
    same kernel and stride without padding; for padding put `nn.ZeroPad2d` or `nn.CircularPad2d` before it. With the same
    filters at every place it is that convolution. The weight is (rows, columns, out_channels, channels, kernel, kernel),
    the bias (out_channels, rows, columns); both begin without meaning, as `train` draws them.

    Args:
        channels: of the inputs.
        out_channels: of the outputs.
        size: height and width of the inputs, in pixels: unlike a convolution's, the weights depend on it.
        kernel: side of a field in pixels.
        stride: pixels from one field to the next.
    """

    def __init__(
        self, channels: int, out_channels: int, size: tuple[int, int], kernel: int, *, stride: int = 1
    ) -> None:
        super().__init__()
        rows, columns = ((side - kernel) // stride + 1 for side in size)
        self.kernel, self.stride = kernel, stride
        self.weight = nn.Parameter(torch.empty(rows, columns, out_channels, channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(out_channels, rows, columns))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs, (batch, out_channels, rows, columns)."""
        # Views of the tensor, since `functional.unfold` copies each pixel once per field.
        fields = inputs.unfold(2, self.kernel, self.stride).unfold(3, self.kernel, self.stride)
        return torch.einsum("bcyxij,yxocij->boyx", fields, self.weight) + self.bias
