"""Checkpoints as PyTorch writes them: one model in one file and in two shards, and what it computes.

`tests/tests/checkpoint_torch.rs` loads `checkpoints/model.safetensors`, and the shards that `checkpoints/sharded` has an index of, into
layers of ours, and compares their outputs with those in `checkpoints/outputs.safetensors`, all float64: for each module its input
`<name>.x` and output `<name>.y`, and for the weight-normalized ones the weight, `<name>.weight`.

    venv/bin/python checkpoints.py               # write the files; versions and environment as for generate.py
    venv/bin/python checkpoints.py --read FILE   # load a file that our `Writer` wrote from the same layers, all names and shapes checked
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = Path(__file__).parent / "checkpoints"


def model():
    """One module of each kind, with parameters of all types."""
    torch.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older weight_norm is deprecated, and its names are in many checkpoints
        older = nn.utils.weight_norm(nn.Linear(6, 4, bias=False))
    modules = nn.ModuleDict({
        "layer": nn.LayerNorm(20),
        "rms": nn.RMSNorm(20, eps=1e-6).to(torch.bfloat16),
        "group": nn.GroupNorm(2, 6).to(torch.float16),
        "plane": nn.LayerNorm([4, 5]).to(torch.float64),
        "batch": nn.BatchNorm2d(3),
        "older": older,
        "newer": nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 3, 5, bias=False)),
    })
    with torch.no_grad():
        for parameter in modules.parameters():
            parameter.copy_(torch.rand(parameter.shape, dtype=torch.float64) + 0.5)
    modules.train()
    for _ in range(3):
        modules["batch"](torch.randn(5, 3, 4, 2) * 2 + 1)
    return modules.eval()


def outputs(modules):
    """What the model computes, in float64."""
    shapes = {"layer": (3, 20), "rms": (3, 20), "group": (2, 6, 4), "plane": (3, 4, 5), "batch": (2, 3, 4, 2)}
    found = {}
    with torch.no_grad():
        # After the parameters have been rounded to their types.
        modules = modules.to(torch.float64)
        for name, shape in shapes.items():
            x = torch.randn(shape).to(torch.float64)
            found[f"{name}.x"], found[f"{name}.y"] = x, modules[name](x)
        for name in ["older", "newer"]:
            if name == "older":
                modules[name](torch.zeros(1, 6, dtype=torch.float64))  # it computes the weight before each call
            found[f"{name}.weight"] = modules[name].weight.detach().clone()
    return found


def write():
    modules = model()
    state = {name: tensor.contiguous() for name, tensor in modules.state_dict().items()}
    (HERE / "sharded").mkdir(parents=True, exist_ok=True)
    save_file(state, HERE / "model.safetensors", {"format": "pt"})
    half = len(state) // 2
    shards = [dict(list(state.items())[:half]), dict(list(state.items())[half:])]
    weight_map = {}
    for i, shard in enumerate(shards, 1):
        file = f"model-{i:05}-of-00002.safetensors"
        save_file(shard, HERE / "sharded" / file, {"format": "pt"})
        weight_map.update({name: file for name in shard})
    total = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (HERE / "sharded" / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    save_file(outputs(modules), HERE / "outputs.safetensors")


def read(path):
    modules = model()
    expected = {name: tensor.clone() for name, tensor in modules.state_dict().items()}
    with torch.no_grad():
        for parameter in modules.parameters():
            parameter.zero_()
    modules["batch"].reset_running_stats()
    print(modules.load_state_dict(load_file(path), strict=True))
    for name, tensor in modules.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
        print(f"{name} {tuple(tensor.shape)} {tensor.dtype}: equal")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2])
    else:
        write()
