"""Golden files for the normalization kernels, computed by PyTorch in float64.

Each case of `cases.py` becomes one `<name>.safetensors`; `tests/tests/golden.rs` reads those next to this script
(rms and layer over the last dimensions), `tests/tests/golden_sets` those in `sets` (all other kinds, axes and layouts),
`tests/tests/halves_golden.rs` those in `halves`. All refuse to pass when a file is missing, unknown or unused.

Inputs hold values that are exact in float32, so that a float32 kernel sees the very same ones; all else is float64:
    x, dy               the shape of the case
    weight, bias        absent where `affine` says so
    y                   forward(x)
    dx, dweight, dbias  gradients of sum(y * dy); dweight and dbias beside weight and bias
Metadata: kind, eps, affine (none | weight | weight_bias), torch; next to this script also
    normalized          dimensions, comma-separated; the shape of weight and bias

In `sets`, inputs are stored as float32, and there are as well
    mean, rstd          of each set of elements that is normalized together: batch [C], instance [N, C], group [N, G],
                        weight [kept], rms and layer [the other axes]; no mean where none is subtracted
    running_mean, running_var   batch: what inference normalizes with, and what training starts from
    more                batch in training: [steps - 1, shape], the batches after x
    running_mean_after, running_var_after   [steps, C]: after each batch
    variance            batch in training: [C], biased
For weight norm x is v, weight is g, and y is the weight that is computed. Metadata:
    shape               of x, as stored
    axis                comma-separated: the channels; weight: what is kept; rms and layer: what is normalized
    groups              group
    mode                batch: train (batch statistics) | eval (running statistics, in forward and backward)
    momentum            batch in training: a number | cumulative
    running_var         batch in training: unbiased | biased (which PyTorch has not, but Flax and TensorFlow)
    batches             batch in training: num_batches_tracked before x

In `halves`, the same as in `sets`, from inputs that are exact in a half type, which the metadata name as `dtype`: what is
expected is what a kernel rounds, once. Those of kind llama hold x, weight and `llama` alone: RMS norm in that type as the
models of transformers compute it, all stored as float32.

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
from functools import partial

import numpy as np
import safetensors.numpy
import torch

from cases import CASES
from kinds import HALVES, HERE, KINDS, LlamaCase, SetCase

LIMIT_BYTES = 1_220_000  # of all files together
PINNED = {"torch": "2.15.0", "numpy": "2.4.6"}
INPUTS = ("x", "dy", "weight", "bias", "more", "running_mean", "running_var")


def f32_exact(values):
    return torch.from_numpy(values.astype(np.float32).astype(np.float64))


def storable(case, values):
    """As float64, rounded to what a kernel of the case holds exactly."""
    dtype = getattr(case, "dtype", None)
    return f32_exact(values).to(HALVES[dtype]).to(torch.float64) if dtype else f32_exact(values)


def random_inputs(case, random):
    """x, weight and bias; and dy."""
    inputs = {"x": storable(case, case.offset + random.standard_normal(case.shape))}
    dy = storable(case, random.standard_normal(case.shape))
    if case.affine in ("weight", "weight_bias"):
        inputs["weight"] = storable(case, 1.0 + 0.5 * random.standard_normal(case.parameter_shape))
    if case.affine == "weight_bias":
        inputs["bias"] = storable(case, 0.5 * random.standard_normal(case.parameter_shape))
    return inputs, dy


def differentiate(forward, inputs, dy):
    """y, and the gradients of all inputs."""
    for tensor in inputs.values():
        tensor.requires_grad_(True)
    y = forward(*inputs.values())
    gradients = torch.autograd.grad(y, tuple(inputs.values()), dy)
    return {"y": y} | {f"d{name}": gradient for name, gradient in zip(inputs, gradients)}


def compute(case):
    """All tensors of a case, by name."""
    random = np.random.RandomState(zlib.crc32(case.name.encode()))
    if isinstance(case, LlamaCase):
        return compute_llama(case, random)
    if isinstance(case, SetCase):
        return compute_sets(case, random)
    inputs, dy = random_inputs(case, random)
    outputs = differentiate(partial(KINDS[case.kind][0], case), inputs, dy)
    return to_arrays(case, {**inputs, "dy": dy} | outputs)


def compute_llama(case, random):
    x = storable(case, random.standard_normal(case.shape))
    weight = storable(case, 1.0 + 0.5 * random.standard_normal(case.shape[-1:]))
    dtype = HALVES[case.dtype]
    y = case.forward(x.to(dtype), weight.to(dtype))
    assert y.dtype == dtype
    arrays = to_arrays(case, {"x": x, "weight": weight, "llama": y.to(torch.float64)})
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def compute_sets(case, random):
    inputs, dy = random_inputs(case, random)
    tensors = {**inputs, "dy": dy}
    forward = partial(KINDS[case.kind][0], case)
    if case.kind == "batch":
        channels = case.parameter_shape
        tensors["running_mean"] = storable(case, case.offset + random.standard_normal(channels))
        tensors["running_var"] = storable(case, 0.5 + 1.5 * random.random_sample(channels))
        running = {name: tensors[name].clone() for name in ("running_mean", "running_var")}
        running["num_batches_tracked"] = torch.tensor(case.batches)
        forward = partial(forward, running=running)

    # Not views of what is stored: where dy is channels-last in memory and x is not, PyTorch 2.15 gets the gradients of
    # instance norm wrong for a batch of one.
    x = inputs["x"].permute(case.order).contiguous()
    inputs = {**inputs, "x": x}
    tensors |= differentiate(forward, inputs, dy.permute(case.order).contiguous())
    back = [case.order.index(axis) for axis in range(len(case.shape))]
    tensors |= {name: tensors[name].permute(back) for name in ("y", "dx")}

    if case.mode == "train":
        more = storable(case, case.offset + random.standard_normal((case.steps - 1, *case.shape)))
        after = [running | {}]
        for x_of_step in more:
            running |= {name: tensor.clone() for name, tensor in running.items()}
            forward(x_of_step.permute(case.order).contiguous())
            after.append(running | {})
        assert int(running["num_batches_tracked"]) == case.batches + case.steps
        for name in ("running_mean", "running_var"):
            tensors[f"{name}_after"] = torch.stack([step[name] for step in after])
        if case.steps > 1:
            tensors["more"] = more
    if case.mode != "eval":
        sets = case.sets(x.detach())
        if case.centred:
            tensors["mean"] = sets.mean(-1)
            sets = sets - sets.mean(-1, keepdim=True)
        squares = (sets**2).sum(-1) if case.kind == "weight" else (sets**2).mean(-1)
        tensors["rstd"] = 1.0 / (squares + case.eps).sqrt()
        if case.kind == "batch":
            tensors["variance"] = squares
        if case.centred and sets.shape[-1] == 1:
            # x - mean is 0, so y is the bias, and the gradients are 0. PyTorch leaves rounding noise there.
            shape = [-1 if axis in case.axis else 1 for axis in range(len(case.shape))]
            zero = torch.zeros((), dtype=torch.float64)
            bias = inputs["bias"].detach().reshape(shape) if "bias" in inputs else zero
            for name, exact in [("y", bias), ("dx", zero), ("dweight", zero)]:
                if name in tensors:
                    assert (tensors[name] - exact).abs().max() < 1e-12, f"{case.name}: {name}"
                    tensors[name] = exact.expand(tensors[name].shape)
    arrays = to_arrays(case, tensors)
    return {name: array.astype(np.float32) if name in INPUTS else array for name, array in arrays.items()}


def to_arrays(case, tensors):
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
    if not case.path.exists():
        return "missing"
    data = case.path.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    if header.get("__metadata__") != case.metadata():
        return f"metadata {header.get('__metadata__')}, expected {case.metadata()}"
    stored = safetensors.numpy.load(data)
    if stored.keys() != arrays.keys():
        return f"tensors {sorted(stored)}, expected {sorted(arrays)}"
    for name, array in arrays.items():
        if stored[name].shape != array.shape or stored[name].dtype != array.dtype:
            return f"{name} is {stored[name].dtype} {stored[name].shape}, expected {array.dtype} {array.shape}"
        # Of a half type one last place is 2^-8, where float32 came out otherwise.
        bound = 0.0 if name in INPUTS else (2.0**-7 if name == "llama" else 1e-13) * np.abs(array).max()
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

    expected = {case.path for case in CASES}
    found = [*HERE.glob("*.safetensors"), *(HERE / "sets").glob("*.safetensors"), *(HERE / "halves").glob("*.safetensors")]
    stale = sorted(path for path in found if path not in expected)
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
        case.path.parent.mkdir(exist_ok=True)
        case.path.write_bytes(data)
        total += len(data)
        print(f"{len(data):7} {case.name}")
    print(f"{total:7} bytes in {len(CASES)} files")
    if total > LIMIT_BYTES:
        sys.exit(f"over the limit of {LIMIT_BYTES} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
