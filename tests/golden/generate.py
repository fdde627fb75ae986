"""Golden files for the normalization kernels, computed by PyTorch in float64.

Each case of `CASES` below becomes one `<name>.safetensors` next to this script; `tests/tests/golden.rs`
reads them and refuses to pass when a file is missing, unknown or unused.

Tensors, all float64 (x, dy, weight and bias hold values that are exact in float32, so that a float32
kernel sees the very same inputs):
    x, dy               the shape of the case
    weight, bias        over the normalized dimensions; absent where `affine` says so
    y                   forward(x)
    dx, dweight, dbias  gradients of sum(y * dy); dweight and dbias beside weight and bias
Metadata: kind, normalized (dimensions, comma-separated), eps, affine (none | weight | weight_bias), torch.

Versions: torch==2.15.0 numpy==2.4.6 safetensors==0.8.0 (Python 3.11)

    python -m venv venv && venv/bin/pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0
    venv/bin/python generate.py            # write the files, remove those that are no longer in the list
    venv/bin/python generate.py --check    # write nothing; compare the files with what would be written

Inputs are the same on every machine: numpy's RandomState (a frozen stream), seeded by the name of the case, so
a new case changes no other. Outputs can differ in the last bits where PyTorch picks another vector width;
`--check` allows 1e-13 of the largest value of a tensor, and demands equality of the inputs.
"""

import json
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
LIMIT_BYTES = 390_000  # of all files together
PINNED = {"torch": "2.15.0", "numpy": "2.4.6"}
INPUTS = ("x", "dy", "weight", "bias")


@dataclass(frozen=True)
class Case:
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

    def metadata(self):
        return {
            "kind": self.kind,
            "normalized": ",".join(map(str, self.shape[-self.normalized :])),
            "eps": repr(self.eps),
            "affine": self.affine,
            "torch": torch.__version__.split("+")[0],
        }


def rms(case, x, weight=None):
    return F.rms_norm(x, case.shape[-case.normalized :], weight, case.eps)


def layer(case, x, weight=None, bias=None):
    return F.layer_norm(x, case.shape[-case.normalized :], weight, bias, case.eps)


# kind -> (forward, default eps, its richest `affine`). A new kind is a function, a row here, and cases below.
KINDS = {
    "rms": (rms, 1e-6, "weight"),
    "layer": (layer, 1e-5, "weight_bias"),
}
# Large enough that eps outside the root, or forgotten, shows in every element.
BIG_EPS = 0.25


def build_cases():
    cases = []
    for kind, (_, eps, full) in KINDS.items():
        # Every size with all parameters: below, at and around vector widths, and past the registers.
        for size in (1, 3, 7, 17, 64, 100, 257, 769):
            rows = 5 if size <= 100 else 2
            cases.append(Case(kind, (rows, size), 1, eps, full))
        # The other parameter sets, the other eps, and a mean far from zero.
        for affine in ("none", "weight", "weight_bias"):
            if affine == full or (kind, affine) == ("rms", "weight_bias"):
                continue  # written above; rms has no bias
            for size in (1, 17, 32):
                cases.append(Case(kind, (5, size), 1, eps, affine))
        for size in (1, 7, 17):
            cases.append(Case(kind, (5, size), 1, BIG_EPS, full))
        for rows, size in ((5, 17), (3, 100)):
            cases.append(Case(kind, (rows, size), 1, eps, full, offset=10.0))
        # Several normalized dimensions: axis = [-2, -1], and axis = 1..
        cases.append(Case(kind, (3, 5, 4, 6), 2, eps, full))
        for affine in ("none", full):
            cases.append(Case(kind, (4, 3, 2, 5), 3, eps, affine))
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases share a name"
    return cases


CASES = build_cases()


def f32_exact(values):
    return torch.from_numpy(values.astype(np.float32).astype(np.float64))


def compute(case):
    """All tensors of a case, by name."""
    random = np.random.RandomState(zlib.crc32(case.name.encode()))
    parameter_shape = case.shape[-case.normalized :]
    inputs = {"x": f32_exact(case.offset + random.standard_normal(case.shape))}
    dy = f32_exact(random.standard_normal(case.shape))
    if case.affine in ("weight", "weight_bias"):
        inputs["weight"] = f32_exact(1.0 + 0.5 * random.standard_normal(parameter_shape))
    if case.affine == "weight_bias":
        inputs["bias"] = f32_exact(0.5 * random.standard_normal(parameter_shape))

    for tensor in inputs.values():
        tensor.requires_grad_(True)
    y = KINDS[case.kind][0](case, *inputs.values())
    gradients = torch.autograd.grad(y, tuple(inputs.values()), dy)

    tensors = {**inputs, "dy": dy, "y": y}
    tensors |= {f"d{name}": gradient for name, gradient in zip(inputs, gradients)}
    arrays = {name: np.ascontiguousarray(tensor.detach().numpy()) for name, tensor in tensors.items()}
    for name, array in arrays.items():
        assert array.dtype == np.float64, f"{case.name}: {name} is {array.dtype}"
        assert np.isfinite(array).all(), f"{case.name}: {name} is not finite"
        if name in INPUTS:
            assert (array == array.astype(np.float32)).all(), f"{case.name}: {name} is not exact in float32"
    return arrays


def to_bytes(case, arrays):
    """A safetensors file whose bytes depend on its content alone (the library writes metadata in hash order)."""
    data = safetensors.numpy.save(arrays, metadata=case.metadata())
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def check(case, arrays):
    """What is wrong with the file of a case, or None."""
    path = HERE / f"{case.name}.safetensors"
    if not path.exists():
        return "missing"
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    if header.get("__metadata__") != case.metadata():
        return f"metadata {header.get('__metadata__')}, expected {case.metadata()}"
    stored = safetensors.numpy.load(data)
    if stored.keys() != arrays.keys():
        return f"tensors {sorted(stored)}, expected {sorted(arrays)}"
    for name, array in arrays.items():
        if stored[name].shape != array.shape or stored[name].dtype != array.dtype:
            return f"{name} is {stored[name].dtype} {stored[name].shape}, expected {array.dtype} {array.shape}"
        bound = 0.0 if name in INPUTS else 1e-13 * np.abs(array).max()
        difference = np.abs(stored[name] - array).max()
        if not difference <= bound:
            return f"{name} differs by {difference:.3e}, bound {bound:.3e}"
    return None


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    for module in (torch, np):
        version, pinned = module.__version__.split("+")[0], PINNED[module.__name__]
        if version != pinned:
            sys.exit(f"{module.__name__} {version} is installed, the golden files are made with {pinned}")
    torch.set_num_threads(1)

    expected = {f"{case.name}.safetensors" for case in CASES}
    stale = sorted(path for path in HERE.glob("*.safetensors") if path.name not in expected)
    if arguments == ["--check"]:
        problems = [f"{path.name}: not in the list of cases" for path in stale]
        for case in CASES:
            problem = check(case, compute(case))
            if problem:
                problems.append(f"{case.name}: {problem}")
        print(f"{len(CASES)} cases checked, {len(problems)} problems", *problems, sep="\n  ")
        sys.exit(1 if problems else 0)

    for path in stale:
        print(f"removed {path.name}")
        path.unlink()
    total = 0
    for case in CASES:
        data = to_bytes(case, compute(case))
        (HERE / f"{case.name}.safetensors").write_bytes(data)
        total += len(data)
        print(f"{len(data):7} {case.name}")
    print(f"{total:7} bytes in {len(CASES)} files")
    if total > LIMIT_BYTES:
        sys.exit(f"over the limit of {LIMIT_BYTES} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
