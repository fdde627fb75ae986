"""What a case is, and what PyTorch computes for it."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

HERE = Path(__file__).resolve().parent
HALVES = {"f16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Case:
    """rms and layer over the last dimensions."""

    kind: str
    shape: tuple  # of x
    normalized: int  # how many of the last dimensions are normalized
    eps: float
    affine: str  # none | weight | weight_bias
    offset: float = 0.0  # mean of x

    @property
    def name(self):
        parts = [self.kind, "x".join(map(str, self.shape[-self.normalized :])), f"eps{self.eps:g}", self.affine]
        if self.offset:
            parts.append(f"mean{self.offset:g}")
        return "_".join(parts)

    @property
    def path(self):
        return HERE / f"{self.name}.safetensors"

    @property
    def parameter_shape(self):
        return self.shape[-self.normalized :]

    def metadata(self):
        return {
            "kind": self.kind,
            "normalized": ",".join(map(str, self.shape[-self.normalized :])),
            "eps": repr(self.eps),
            "affine": self.affine,
            "torch": torch.__version__.split("+")[0],
        }


@dataclass(frozen=True)
class SetCase:
    """All other kinds, axes and layouts: the elements that are normalized together may lie anywhere."""

    kind: str
    shape: tuple  # of x, as stored
    axis: tuple = (1,)  # the channels; weight: what is kept; rms and layer: what is normalized
    eps: float | None = None  # the kind's own
    affine: str | None = None  # the kind's richest
    offset: float = 0.0  # mean of x
    groups: int | None = None
    mode: str | None = None  # batch: train | eval
    momentum: float | None = 0.1  # None: cumulative
    running_var: str = "unbiased"
    batches: int = 0  # that came before x
    steps: int = 1  # batches, x among them
    dtype: str | None = None  # what inputs are rounded to: f16 | bf16, else float32

    def __post_init__(self):
        _, eps, full = KINDS[self.kind]
        object.__setattr__(self, "eps", eps if self.eps is None else self.eps)
        object.__setattr__(self, "affine", self.affine or full)

    @property
    def name(self):
        parts = [self.kind, self.mode, "x".join(map(str, self.shape)), "axis" + "-".join(map(str, self.axis))]
        parts.append(self.groups and f"groups{self.groups}")
        parts.append(self.eps and f"eps{self.eps:g}")
        parts.append(self.affine)
        parts.append(self.offset and f"mean{self.offset:g}")
        if self.momentum != 0.1:
            parts.append("cumulative" if self.momentum is None else f"momentum{self.momentum:g}")
        parts.append(self.batches and f"after{self.batches}")
        parts.append(self.running_var == "biased" and "biased")
        parts.append(self.dtype)
        return "_".join(part for part in parts if part)

    @property
    def path(self):
        return HERE / ("halves" if self.dtype else "sets") / f"{self.name}.safetensors"

    @property
    def parameter_shape(self):
        return tuple(self.shape[axis] for axis in self.axis)

    @property
    def centred(self):
        return self.kind not in ("rms", "weight")

    @property
    def order(self):
        """The axes of x in PyTorch's order: what rms and layer normalize comes last, channels are on axis 1."""
        axes = range(len(self.shape))
        if self.kind == "weight":
            return tuple(axes)
        if self.kind in ("rms", "layer"):
            return (*(axis for axis in axes if axis not in self.axis), *self.axis)
        others = [axis for axis in axes if axis not in self.axis]
        return (others[0], *self.axis, *others[1:])

    def sets(self, x):
        """[..., elements that are normalized together], of x in PyTorch's order."""
        if self.kind in ("rms", "layer"):
            return x.flatten(-len(self.axis))
        if self.kind in ("batch", "weight"):
            return x.movedim(self.axis[0] if self.kind == "weight" else 1, 0).flatten(1)
        return x.reshape(len(x), self.groups or x.shape[1], -1)

    def metadata(self):
        metadata = {
            "kind": self.kind,
            "shape": ",".join(map(str, self.shape)),
            "axis": ",".join(map(str, self.axis)),
            "eps": repr(self.eps),
            "affine": self.affine,
            "torch": torch.__version__.split("+")[0],
        }
        if self.groups:
            metadata["groups"] = str(self.groups)
        if self.mode:
            metadata["mode"] = self.mode
        if self.mode == "train":
            metadata["momentum"] = "cumulative" if self.momentum is None else repr(self.momentum)
            metadata["running_var"] = self.running_var
            metadata["batches"] = str(self.batches)
        if self.dtype:
            metadata["dtype"] = self.dtype
        return metadata


@dataclass(frozen=True)
class LlamaCase:
    """RMS norm as models of half types compute it: rounded before the weight is applied, and after."""

    shape: tuple  # of x; the last axis is normalized
    eps: float
    dtype: str

    @property
    def name(self):
        return f"llama_{'x'.join(map(str, self.shape))}_eps{self.eps:g}_{self.dtype}"

    @property
    def path(self):
        return HERE / "halves" / f"{self.name}.safetensors"

    def metadata(self):
        return {
            "kind": "llama",
            "shape": ",".join(map(str, self.shape)),
            "eps": repr(self.eps),
            "dtype": self.dtype,
            "torch": torch.__version__.split("+")[0],
        }

    def forward(self, x, weight):
        """The forward method of LlamaRMSNorm in transformers, step by step."""
        hidden_states = x.to(torch.float32)
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        hidden_states = hidden_states * torch.rsqrt(variance + self.eps)
        return weight * hidden_states.to(x.dtype)


def rms(case, x, weight=None):
    return F.rms_norm(x, case.parameter_shape, weight, case.eps)


def layer(case, x, weight=None, bias=None):
    return F.layer_norm(x, case.parameter_shape, weight, bias, case.eps)


def instance(case, x, weight=None, bias=None):
    # Not F.instance_norm, which refuses instances of one element before it calls this.
    return torch.instance_norm(x, weight, bias, None, None, True, 0.0, case.eps, False)


def group(case, x, weight=None, bias=None):
    return F.group_norm(x, case.groups, weight, bias, case.eps)


def weight(case, v, g=None):
    dims = [-1 if axis in case.axis else 1 for axis in range(v.dim())]
    g = torch.ones(case.parameter_shape, dtype=v.dtype) if g is None else g
    return torch._weight_norm(v, g.reshape(dims), case.axis[0])


def batch(case, x, weight=None, bias=None, *, running):
    """Training updates `running`."""
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[x.dim()]
    module = kind(x.shape[1], case.eps, case.momentum, affine=weight is not None).train(case.mode == "train")
    tensors = dict(running)
    if weight is not None:
        tensors |= {"weight": weight, "bias": torch.zeros_like(weight) if bias is None else bias}
    before = running["running_var"].clone()
    y = torch.func.functional_call(module, tensors, (x,))
    if case.running_var == "biased":
        factor = 1.0 / int(running["num_batches_tracked"]) if case.momentum is None else case.momentum
        biased = x.movedim(1, 0).flatten(1).var(1, correction=0)
        running["running_var"] = before + factor * (biased - before).detach()
    return y


# kind -> (forward, default eps, its richest `affine`). A new kind is a function, a row here, and cases below.
KINDS = {
    "rms": (rms, 1e-6, "weight"),
    "layer": (layer, 1e-5, "weight_bias"),
    "batch": (batch, 1e-5, "weight_bias"),
    "instance": (instance, 1e-5, "weight_bias"),
    "group": (group, 1e-5, "weight_bias"),
    "weight": (weight, 0.0, "weight"),
}
