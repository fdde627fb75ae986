"""Times PyTorch, ONNX Runtime, JAX and oneDNN on the workloads of a report of normkit-bench, one-threaded.

    cargo run --release -p normkit-bench
    pip install -r benches/peers/python/requirements.txt
    python benches/peers/python/measure.py target/normkit-bench/normkit.json
    cargo run --release -p normkit-bench -- merge target/normkit-bench/{normkit,peers,pytorch,onnxruntime,jax,onednn,onednn-openmp}.json

Each library runs in a process of its own (two of them in one process corrupt each other's memory) and writes a report of its own. What
one does not have is left out. Each is called on its fastest documented path, with outputs that are reused where it lets one. It takes
turns with `memcpy` of the same bytes, and through that its numbers are comparable to those of other processes. What a library computes
is compared with numpy in float64 before it is timed.
"""

import argparse
import ctypes
import datetime
import importlib
import json
import os
import pathlib
import platform
import random
import shlex
import subprocess
import sys
import time

import numpy as np

from tasks import Task

# Read by the allocator, by OpenMP and by XLA when they start. Pages that are given back to the system are zeroed on their next use,
# which would take longer than most of what is measured: memory is kept.
ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "OMP_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}
# A copy of as much leaves nothing else in the first two levels of caches.
CACHE_FILL = 1 << 20
LIBRARIES = {
    "pytorch": "with_torch",
    "onnxruntime": "with_onnxruntime",
    "jax": "with_jax",
    "onednn": "with_onednn",
    "onednn-openmp": "with_onednn_openmp",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path, help="JSON of normkit-bench from this machine: its workloads are timed")
    parser.add_argument("--filter", default="", help="only workloads whose name contains this")
    parser.add_argument("--turns", type=int, default=15, help="turns that each contender takes (default: %(default)s)")
    parser.add_argument("--micros", type=int, default=500, help="time of one turn in microseconds (default: %(default)s)")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES), help="default: all")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well, which takes a C++ compiler and a minute")
    parser.add_argument("--out", type=pathlib.Path, help="folder that is written into (default: that of the report)")
    args = parser.parse_args()
    if args.turns < 1 or args.micros < 1:
        parser.error("--turns, --micros: expected at least 1")
    return args


def on_one_thread():
    """Starts again on one processor, with the environment in place."""
    if all(os.environ.get(name) == value for name, value in ENVIRONMENT.items()):
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ENVIRONMENT})


def this_machine(report):
    """The machine of the report, which has to be this one."""
    machine = dict(report["machine"])
    name = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    if not machine["cpu"].startswith(name):
        sys.exit(f"expected a report from this machine ({name}), found one from {machine['cpu']}")
    return machine


def each_in_its_process(args):
    """Runs this program once for each library; returns how many failed."""
    failed = 0
    for name in args.libraries:
        # The last of an option counts.
        command = [sys.executable, *sys.argv, "--libraries", name]
        failed += subprocess.run(command, check=False).returncode != 0
    return failed


def memcpy(task):
    """A copy that moves as many bytes as the task, by the C library; and the call of Python around it, to be subtracted."""
    move = ctypes.memmove
    y, x, dy = (array.ctypes.data for array in (task.copied, task.x, task.dy))
    size, parts = task.x.nbytes, task.bytes / task.x.nbytes
    if parts == 2:
        return lambda: move(y, x, size), lambda: move(y, x, 0)
    rest = int(size * (parts / 2 - 1))

    def copies():
        move(y, x, size)
        move(y, dy, rest)

    def calls():
        move(y, x, 0)
        move(y, dy, 0)

    return copies, calls


def idle_pair(task, nothing):
    """A call without work as it finds the caches after work, and what only fills the caches, to be subtracted from it."""
    move = ctypes.memmove
    y, x, size = task.copied.ctypes.data, task.x.ctypes.data, min(task.x.nbytes, CACHE_FILL)

    def idle():
        move(y, x, size)
        nothing()

    return idle, lambda: move(y, x, size)


def timed(call, calls):
    start = time.perf_counter_ns()
    for _ in range(calls):
        call()
    return time.perf_counter_ns() - start


def measure(calls, args):
    """Nanoseconds of a call: quartiles over the turns, for each contender."""
    counts = {}
    for name, call in calls.items():
        count = 1
        while timed(call, count) < args.micros * 1000 and count < 1 << 24:
            count *= 2
        counts[name] = count
    times, order, shuffle = {name: [] for name in calls}, list(calls), random.Random(1).shuffle
    for _ in range(args.turns):
        # As normkit-bench: none always finds the caches as the same other leaves them.
        shuffle(order)
        for name in order:
            call = calls[name]
            call()
            times[name].append(timed(call, counts[name]) / counts[name])
    return {name: np.percentile(values, [25, 50, 75]) for name, values in times.items()}


def measured(task, module, args):
    """The entry of one workload, or None if the library does not have it."""
    calls, subtracted = {}, {}
    copy, empty = memcpy(task)
    try:
        for contender, (call, read, *nothing) in module.contenders(task, args).items():
            call()
            task.check(contender, read())
            calls[contender] = call
            if nothing:
                idle, fill = idle_pair(task, nothing[0])
                subtracted[contender] = {f"{contender}, idle": idle, f"{contender}, fill": fill}
    except NotImplementedError as error:
        print(f"{task.name}: left out: {error}", file=sys.stderr)
    if not calls:
        return None
    pairs = {name: call for pair in subtracted.values() for name, call in pair.items()}
    quartiles = measure({"memcpy": copy, "empty": empty, **calls, **pairs}, args)
    for contender, pair in subtracted.items():
        idle, fill = (quartiles.pop(name)[1] for name in pair)
        around = max(idle - fill, 0.0)
        if around > quartiles[contender][1] / 2:
            print(f"{task.name}: left out: {around:.0f} ns of {contender} are the call, more than the work", file=sys.stderr)
            return None
        quartiles[contender] = np.maximum(quartiles[contender] - around, 1.0)
    quartiles["memcpy"] = np.maximum(quartiles["memcpy"] - quartiles.pop("empty")[1], 1.0)
    entries = [
        {"contender": name, "role": "copy" if name == "memcpy" else "peer", "ns": ns, "low": low, "high": high}
        for name, (low, ns, high) in quartiles.items()
    ]
    return {"workload": task.name, "bytes": task.bytes, "footprint": task.footprint, "times": entries}


def main():
    args = arguments()
    if len(args.libraries) > 1:
        sys.exit(each_in_its_process(args))
    on_one_thread()
    [name] = args.libraries
    report = json.loads(args.report.read_text())
    machine = this_machine(report)
    try:
        module = importlib.import_module(LIBRARIES[name])
    except ImportError as error:
        sys.exit(f"{name}: expected it to be installed: {error}")
    chosen = [entry for entry in report["results"] if args.filter in entry["workload"]]
    results = []
    for at, entry in enumerate(chosen, 1):
        print(f"{name} {at}/{len(chosen)} {entry['workload']}", file=sys.stderr)
        result = measured(Task(entry), module, args)
        if result:
            results.append(result)
            line = (f"{time['contender']} {time['ns']:.0f}" for time in result["times"])
            print(f"{result['workload']}: {', '.join(line)} ns")
    machine["software"] = [f"python {platform.python_version()}", module.VERSION]
    machine["date"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    machine["command"] = shlex.join(["python", pathlib.Path(sys.argv[0]).name, *sys.argv[1:]])
    effort = {"turns": args.turns, "micros": args.micros}
    out = (args.out or args.report.parent) / f"{name}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, "effort": effort, "threads": 1, "results": results}, indent=2))
    print(f"wrote {out}")


if __name__ == "__main__":
    main()
