"""oneDNN: primitives over the memory of the tensors, made once and called through its C API.

The tensors are plain, as they are for all. Its batch normalization prefers blocked layouts (`nChw16c`), which pay in a network that has
nothing else; where its documentation wants the normalized axis innermost, reorders copy there and back, within the time. Its training does not
update running statistics. Left out is what has no optimized implementation (gradients of group and instance normalization; f16 on a processor
without AVX512-FP16), and its gradient of rms normalization, which is wrong.

The newest wheel runs on SYCL, which hands each call to a thread of its own, on the same processor, and waits for it. That takes 10 to 15
microseconds, which builds for OpenMP do without, so what a call without work takes is subtracted. `ONEDNN_WHEEL` names another wheel, and
`ONEDNN_LIBRARY` the path of another build.
"""

import ctypes
import importlib.metadata
import os
import pathlib
import re

import numpy as np

from tasks import aligned

# Of dnnl_types.h and dnnl_common_types.h of version 3, which has rms normalization since 3.9.
MAJOR, RMS_SINCE = 3, 9
CPU, IN_ORDER = 1, 1
UNIMPLEMENTED = 3
TYPES = {"float16": 1, "bfloat16": 2, "float32": 3}
TRAINING, INFERENCE, BACKWARD = 64, 96, 128
GIVEN_STATISTICS, SCALE, SHIFT, RMS = 0x1, 0x2, 0x4, 0x20
QUERY_IMPLEMENTATION = 8
MOST_DIMS = 12
ARGUMENTS = {
    "src": 1,
    "dst": 17,
    "mean": 49,
    "variance": 50,
    "scale": 51,
    "shift": 52,
    "diff_src": 129,
    "diff_dst": 145,
    "diff_scale": 255,
    "diff_shift": 256,
}
# The wheel for SYCL, and what its library needs, each after what it needs itself.
SYCL = "onednn"
NEEDED = ["libtbb.so.12", "libintlc.so.5", "libimf.so", "libsvml.so", "libsycl.so.9"]


class Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int)]


class Argument(ctypes.Structure):
    _fields_ = [("index", ctypes.c_int), ("memory", ctypes.c_void_p)]


def loaded():
    """The library, and its version."""
    try:
        library = ctypes.CDLL(os.environ.get("ONEDNN_LIBRARY") or of_the_wheel(os.environ.get("ONEDNN_WHEEL", SYCL)))
    except OSError as error:
        raise ImportError(str(error)) from error
    library.dnnl_version.restype = ctypes.POINTER(Version)
    version = library.dnnl_version().contents
    if version.major != MAJOR:
        raise ImportError(f"expected version {MAJOR} of oneDNN, found {version.major}.{version.minor}.{version.patch}")
    return library, version


def of_the_wheel(package):
    """The path of a wheel's library, whose dependencies are loaded: pip puts them where the loader does not look."""
    # With all of the version in the name: the other names are those of the wheel that was installed last.
    named = re.compile(r"libdnnl\.so\.\d+\.\d+")
    files = importlib.metadata.files(package) or []
    path = next((pathlib.Path(file.locate()).resolve() for file in files if named.fullmatch(file.name)), None)
    if path is None:
        raise ImportError(f"expected libdnnl.so in the package {package}, found none")
    if package == SYCL:
        # The driver in which SYCL finds the processor.
        os.environ["OCL_ICD_FILENAMES"] = str(path.with_name("libintelocl.so"))
        for name in NEEDED:
            ctypes.CDLL(path.with_name(name), ctypes.RTLD_GLOBAL)
    return path


LIBRARY, FOUND = loaded()
VERSION = f"onednn {FOUND.major}.{FOUND.minor}.{FOUND.patch}"


def done(call, status):
    """Raises if a call failed, and says which."""
    if status == UNIMPLEMENTED:
        raise NotImplementedError(f"{call}: not for these arguments on this processor")
    if status:
        raise RuntimeError(f"{call}: expected status 0, found {status}")


def made(call, *args):
    """What a function of the library makes. It is kept as long as the process."""
    function = getattr(LIBRARY, call, None)
    if function is None:
        raise NotImplementedError(f"{call}: not in {VERSION}")
    handle = ctypes.c_void_p()
    done(call, function(ctypes.byref(handle), *args))
    return handle


ENGINE = made("dnnl_engine_create", CPU, ctypes.c_size_t(0))
STREAM = made("dnnl_stream_create", ENGINE, IN_ORDER)


class Tensor:
    """Memory of an array, with its axes and strides."""

    def __init__(self, array):
        self.array = array
        dims = (ctypes.c_int64 * MOST_DIMS)(*array.shape)
        strides = (ctypes.c_int64 * MOST_DIMS)(*(stride // array.itemsize for stride in array.strides))
        of = TYPES[array.dtype.name]
        self.desc = made("dnnl_memory_desc_create_with_strides", array.ndim, dims, of, strides)
        self.memory = made("dnnl_memory_create", self.desc, ENGINE, ctypes.c_void_p(array.ctypes.data))


def empty(shape, dtype=np.float32):
    array = aligned(shape, np.dtype(dtype))
    array[...] = 0
    return Tensor(array)


class Primitive:
    """A primitive with its arguments."""

    def __init__(self, desc, tensors):
        name = ctypes.c_char_p()
        call = "dnnl_primitive_desc_query"
        done(call, LIBRARY.dnnl_primitive_desc_query(desc, QUERY_IMPLEMENTATION, 0, ctypes.byref(name)))
        if name.value.startswith(b"ref"):
            raise NotImplementedError("only a reference implementation")
        arguments = [Argument(ARGUMENTS[name], tensor.memory) for name, tensor in tensors.items()]
        # The library only has the addresses.
        self.tensors = tensors
        self.args = [made("dnnl_primitive_create", desc), STREAM, len(arguments), (Argument * len(arguments))(*arguments)]


def reorder(source, target):
    """The primitives that copy a tensor to another layout: none to itself."""
    if source is target:
        return []
    desc = made("dnnl_reorder_primitive_desc_create", source.desc, ENGINE, target.desc, ENGINE, None)
    return [Primitive(desc, {"src": source, "dst": target})]


def executing(primitives):
    """A call that executes primitives in this order, and waits for the last."""
    execute, wait = LIBRARY.dnnl_primitive_execute, LIBRARY.dnnl_stream_wait

    def call():
        for primitive in primitives:
            done("dnnl_primitive_execute", execute(*primitive.args))
        done("dnnl_stream_wait", wait(STREAM))

    return call


def contenders(task, _args):
    """Calls, each with what reads its last output, and the same calls without work."""
    if task.kind == "weight":
        raise NotImplementedError("no weight normalization")
    if task.kind == "rms" and FOUND.minor < RMS_SINCE:
        raise NotImplementedError(f"rms normalization: not in {VERSION}")
    if task.kind == "rms" and task.backward:
        # With 3.13, and in the source of 3.14: all of its implementations.
        raise NotImplementedError("dx is wrong: the mean of the gradient is subtracted, as for layer normalization")
    return {"onednn": contender(task)}


def contender(task):
    tensors = {"src": task.x, "dst": task.empty(), "diff_dst": task.dy, "diff_src": task.empty()}
    outer = {name: Tensor(in_order(task, array)) for name, array in tensors.items()}
    inner = outer
    if task.axis:
        inner = {name: empty(tensor.array.shape, task.dtype) for name, tensor in outer.items()}

    def around(primitive, first, last):
        return [*reorder(outer[first], inner[first]), primitive, *reorder(inner[last], outer[last])]

    forward, backward = normalization(task, inner)
    steps, output = around(forward, "src", "dst"), tensors["dst"]
    if task.backward:
        executing(steps)()
        steps, output = around(backward, "diff_dst", "diff_src"), tensors["diff_src"]
    nothing = reorder(empty([1]), empty([1])) * len(steps)
    return executing(steps), lambda: output, executing(nothing)


def in_order(task, array):
    """With channels second, and the axis of layer normalization last: other strides over the same memory."""
    if task.last:
        return np.moveaxis(array, -1, 1)
    return np.moveaxis(array, task.axis, -1) if task.axis else array


def normalization(task, tensors):
    """The primitives of the forward pass and, if that is the task, of the gradients of x and of the parameters."""
    src = tensors["src"]
    family, shape, more = task.kind, [task.params], []
    if task.kind in ("rms", "layer"):
        family, shape = "layer", src.array.shape[:-1]
    elif task.kind in ("group", "instance"):
        # Of instances, each channel is a group.
        groups = task.groups or task.params
        family, shape, more = "group", [src.array.shape[0], groups], [ctypes.c_int64(groups)]
    flags, params = SCALE | SHIFT, {"scale": Tensor(task.weight), "shift": Tensor(task.bias)}
    if task.kind == "rms":
        flags, params = SCALE | RMS, {"scale": params["scale"]}
    statistics = {"mean": empty(shape), "variance": empty(shape)}
    prop = TRAINING
    if task.step == "infer":
        flags, prop = flags | GIVEN_STATISTICS, INFERENCE
        statistics = {"mean": Tensor(task.running_mean), "variance": Tensor(task.running_var)}
    if family == "layer":
        more = [statistics["mean"].desc]
    if task.step == "fwd":
        prop, statistics = INFERENCE, {}
    call, more = f"dnnl_{family}_normalization_%s_primitive_desc_create", [*more, ctypes.c_float(task.eps), flags]
    desc = made(call % "forward", ENGINE, prop, src.desc, src.desc, *more, None)
    forward = Primitive(desc, {"src": src, "dst": tensors["dst"], **statistics, **params})
    if not task.backward:
        return forward, None
    desc = made(call % "backward", ENGINE, BACKWARD, src.desc, src.desc, src.desc, *more, desc, None)
    gradients = {f"diff_{name}": empty([task.params]) for name in params}
    # To others, `shift` is an argument too many; older versions of layer normalization miss it.
    used = params if family == "layer" else {"scale": params["scale"]}
    inputs = {"src": src, "diff_dst": tensors["diff_dst"], **statistics, **used}
    return forward, Primitive(desc, {**inputs, "diff_src": tensors["diff_src"], **gradients})
