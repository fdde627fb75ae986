"""What a workload's name says, its tensors, and what it should compute."""

import numpy as np

DTYPES = {"f32": np.dtype(np.float32), "f16": np.dtype(np.float16)}
try:
    import ml_dtypes

    DTYPES["bf16"] = np.dtype(ml_dtypes.bfloat16)
except ImportError:
    pass


PAGE = 4096


def aligned(shape, dtype, place=0):
    """An array that starts `place` bytes into a page, where `normkit-bench` has it: see its `tensors.rs`."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + PAGE, np.uint8)
    start = (place - memory.ctypes.data) % PAGE
    return memory[start : start + size].view(dtype).reshape(shape)


class Task:
    """A workload as `normkit-bench` names it: kind, pass, type, dims, and `_g32`, `_ax1`, `_cl`.

    `x` and `dy` lie in memory as `memory_dims` says: with `last`, channels come last there, though second among the dims.
    """

    def __init__(self, entry):
        self.name, self.bytes, self.footprint = entry["workload"], entry["bytes"], entry["footprint"]
        self.kind, self.step, self.dtype_name, dims, *more = self.name.split("_")
        self.dims = [int(dim) for dim in dims.split("x")]
        self.last = "cl" in more
        self.axis = next((int(word[2:]) for word in more if word.startswith("ax")), None)
        self.groups = next((int(word[1:]) for word in more if word[0] == "g"), None)
        self.backward = self.step == "bwd"
        self.eps = 1e-6 if self.kind == "rms" else 1e-5
        # An axis of `dims`.
        self.param_axis = {"weight": 0, "rms": -1}.get(self.kind, 1)
        if self.kind == "layer" and self.axis is None:
            self.param_axis = -1
        self.params = self.dims[self.param_axis]
        self.memory_dims = [self.dims[0], *self.dims[2:], self.dims[1]] if self.last else self.dims
        random = np.random.default_rng(0)

        def filled(shape, dtype, place):
            array = aligned(shape, dtype, place)
            array[...] = random.uniform(-1, 1, shape).astype(np.float32)
            return array

        f32 = DTYPES["f32"]
        self.dtype = DTYPES[self.dtype_name]
        self.x, self.dy = filled(self.memory_dims, self.dtype, 0), filled(self.memory_dims, self.dtype, 0)
        self.weight, self.bias = filled([self.params], f32, 3072), filled([self.params], f32, 3584)
        self.running_mean, self.running_var = filled([self.params], f32, 512), np.ones(self.params, f32)
        # What `memcpy` writes, kept as long as the task.
        self.copied = self.empty()
        self._expected = None

    def empty(self):
        """Memory for an output, written once."""
        array = aligned(self.memory_dims, self.dtype)
        array[...] = 0
        return array

    def check(self, contender, output):
        """Exits if an output (`y` or `dx`, as `x` lies in memory) is not what numpy finds in float64."""
        if self._expected is None:
            self._expected = self._compute()
        found = np.asarray(output).astype(np.float32).reshape(self.memory_dims)
        error = float(np.max(np.abs(found - self._expected)))
        bound = 1e-3 if self.dtype_name == "f32" else 5e-2
        if not error <= bound:
            raise SystemExit(f"{self.name}: expected the output of {contender} within {bound} of numpy's, found {error} off")

    def _compute(self):
        x, dy = (self._first(array.astype(np.float64)) for array in (self.x, self.dy))
        shape = [1] * x.ndim
        shape[self.param_axis] = self.params
        weight, bias = self.weight.reshape(shape).astype(np.float64), self.bias.reshape(shape).astype(np.float64)
        full = x.shape
        if self.kind in ("rms", "layer"):
            axes = (self.axis or -1,)
        elif self.kind == "weight":
            axes = (1,)
        elif self.kind == "batch":
            axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        else:
            # Groups as an axis of their own; of instances, groups of one channel.
            groups = self.groups or self.params
            grouped = (full[0], groups, full[1] // groups, *full[2:])
            x, dy = x.reshape(grouped), dy.reshape(grouped)
            weight, bias = (np.broadcast_to(p, full).reshape(grouped) for p in (weight, bias))
            axes = tuple(range(2, x.ndim))
        mean = 0.0 if self.kind in ("rms", "weight") else x.mean(axes, keepdims=True)
        if self.step == "infer":
            mean, var = self.running_mean.reshape(shape), self.running_var.reshape(shape)
        elif self.kind == "weight":
            # The length, where others have the root mean square.
            var = np.sum(x * x, axes, keepdims=True) - self.eps
        else:
            var = np.mean((x - mean) ** 2, axes, keepdims=True)
        rstd = 1 / np.sqrt(var + self.eps)
        normalized = (x - mean) * rstd
        if not self.backward:
            y = normalized * weight
            return self._memory((y if self.kind in ("rms", "weight") else y + bias).reshape(full))
        g = dy * weight
        project = np.sum if self.kind == "weight" else np.mean
        dx = g - normalized * project(g * normalized, axes, keepdims=True)
        if self.kind not in ("rms", "weight"):
            dx = dx - g.mean(axes, keepdims=True)
        return self._memory((dx * rstd).reshape(full))

    def _first(self, array):
        return np.moveaxis(array, -1, 1) if self.last else array

    def _memory(self, array):
        return np.moveaxis(array, 1, -1) if self.last else array
