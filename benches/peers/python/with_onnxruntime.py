"""ONNX Runtime: models of one operator, with outputs that are bound once. It has no gradients."""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

VERSION = f"onnxruntime {ort.__version__}"
TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}


def contenders(task, _args):
    """Calls, each with what reads its last output."""
    if task.backward or task.kind == "weight" or task.last or task.axis or task.step == "train":
        return {}
    if task.dtype_name == "bf16":
        raise NotImplementedError("no bf16 on processors")
    return {"onnxruntime": contender(task)}


def operator(task):
    """The operator, its attributes, and its inputs after x."""
    weight, bias = task.weight.astype(task.dtype), task.bias.astype(task.dtype)
    if task.kind == "rms":
        return "RMSNormalization", {"axis": -1, "epsilon": task.eps}, [weight]
    if task.kind == "layer":
        return "LayerNormalization", {"axis": -1, "epsilon": task.eps}, [weight, bias]
    if task.kind == "batch":
        return "BatchNormalization", {"epsilon": task.eps}, [weight, bias, task.running_mean, task.running_var]
    if task.kind == "group":
        return "GroupNormalization", {"epsilon": task.eps, "num_groups": task.groups}, [weight, bias]
    return "InstanceNormalization", {"epsilon": task.eps}, [weight, bias]


def contender(task):
    name, attributes, params = operator(task)
    of = TYPES[task.dtype_name]
    names = [f"p{i}" for i in range(len(params))]
    graph = helper.make_graph(
        [helper.make_node(name, ["x", *names], ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info("x", of, task.dims)],
        [helper.make_tensor_value_info("y", of, task.dims)],
        [onnx.numpy_helper.from_array(param, name) for name, param in zip(names, params)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        raise NotImplementedError(str(error).splitlines()[0]) from error
    y = task.empty()
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(task.x))
    binding.bind_output("y", "cpu", 0, np.dtype(task.dtype), task.dims, y.ctypes.data)
    return lambda: session.run_with_iobinding(binding), lambda: y
