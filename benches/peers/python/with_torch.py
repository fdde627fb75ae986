"""PyTorch: its functions of `torch.nn.functional`, and their gradients from graphs that are made once."""

import torch
import torch.nn.functional as F

VERSION = f"torch {torch.__version__}"
torch.set_num_threads(1)


def contenders(task, args):
    """Calls, each with what reads its last output."""
    function, inputs = layer(task)
    found = {"pytorch": contender(task, function, inputs)}
    if args.compile:
        found["pytorch compiled"] = contender(task, torch.compile(function, fullgraph=True), inputs)
    return found


def tensor(array):
    """Shares the memory of a numpy array, of any type."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view("int16")).view(torch.bfloat16)
    return torch.from_numpy(array)


def in_order(task, array):
    """Channels second; where they lie last, this is PyTorch's memory format channels_last."""
    return tensor(array).movedim(-1, 1) if task.last else tensor(array)


def layer(task):
    """The function, and what it is differentiated with respect to."""
    x = in_order(task, task.x)
    weight, bias = (tensor(array).to(x.dtype) for array in (task.weight, task.bias))
    params, eps = [task.params], task.eps
    if task.kind == "rms":
        return lambda x, w: F.rms_norm(x, params, w, eps), [x, weight]
    if task.kind == "layer" and task.axis:
        # As ConvNeXt does it.
        return lambda x, w, b: F.layer_norm(x.movedim(1, -1), params, w, b, eps).movedim(-1, 1), [x, weight, bias]
    if task.kind == "layer":
        return lambda x, w, b: F.layer_norm(x, params, w, b, eps), [x, weight, bias]
    if task.kind == "batch":
        mean, var, train = tensor(task.running_mean.copy()), tensor(task.running_var.copy()), task.step != "infer"
        return lambda x, w, b: F.batch_norm(x, mean, var, w, b, train, 0.1, eps), [x, weight, bias]
    if task.kind == "group":
        return lambda x, w, b: F.group_norm(x, task.groups, w, b, eps), [x, weight, bias]
    if task.kind == "instance":
        return lambda x, w, b: F.instance_norm(x, None, None, w, b, True, 0.1, eps), [x, weight, bias]
    return lambda v, g: torch._weight_norm(v, g, 0), [x, weight.reshape(-1, 1)]


def contender(task, function, inputs):
    last = []
    if task.backward:
        leaves = [t.detach().requires_grad_() for t in inputs]
        y, dy = function(*leaves), in_order(task, task.dy)

        def call():
            last.clear()
            last.append(torch.autograd.grad(y, leaves, dy, retain_graph=True)[0])
    else:

        def call():
            last.clear()
            with torch.inference_mode():
                last.append(function(*inputs))

    def read():
        output = last[0].detach().float()
        return (output.movedim(1, -1) if task.last else output).contiguous().numpy()

    return call, read
