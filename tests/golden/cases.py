"""The cases, each of which becomes a file."""

from dataclasses import replace

from kinds import KINDS, Case, LlamaCase, SetCase

# Large enough that eps outside the root, or forgotten, shows in every element.
BIG_EPS = 0.25
LAST = (-1,)  # channels-last


def build_cases():
    cases = []
    for kind in ("rms", "layer"):
        _, eps, full = KINDS[kind]
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
    return cases


def batch_cases():
    def both(shape, axis=(1,), **more):
        return [SetCase("batch", shape, axis, mode=mode, **more) for mode in ("train", "eval")]

    def train(shape, axis=(1,), **more):
        return [SetCase("batch", shape, axis, mode="train", **more)]

    return [
        # [N, C], [N, C, L], NCHW, NCDHW: channels and planes below, at and above vectors and tiles of them.
        *both((5, 17)),
        *train((4, 70)),
        *both((2, 17, 5)),
        *train((2, 2, 49)),
        *both((2, 2, 7, 7)),
        *train((1, 20, 3, 3)),
        *train((1, 2, 14, 14)),
        *both((2, 2, 2, 3, 5)),
        # Channels last.
        *both((2, 5, 17), LAST),
        *train((2, 7, 7, 3), LAST),
        *train((2, 2, 2, 20), LAST),
        *both((1, 3, 2, 33), LAST),
        *train((1, 2, 1, 3, 17), LAST),
        # Channels between.
        *train((2, 2, 5, 7), (2,)),
        # Without parameters, without bias.
        *both((4, 33), affine="none"),
        *both((1, 3, 5, 5), affine="none"),
        *train((1, 2, 3, 17), LAST, affine="none"),
        *both((1, 3, 5, 5), affine="weight"),
        *both((1, 5, 5, 3), LAST, affine="weight"),
        # The other eps, and a mean far from zero.
        *both((1, 3, 5, 5), eps=BIG_EPS),
        *train((1, 5, 5, 3), LAST, eps=BIG_EPS),
        *both((4, 20), offset=10.0),
        *train((2, 2, 7, 7), offset=10.0),
        *both((2, 2, 2, 17), LAST, offset=10.0),
        # Running statistics.
        *train((7, 3), steps=3),
        *train((3, 3, 7), momentum=0.3, steps=3),
        *train((2, 4, 3, 5), momentum=None, steps=3),
        *train((2, 3, 5, 4), LAST, momentum=0.3, steps=3),
        *train((6, 5), momentum=None, batches=5, steps=3),
        *train((4, 7), running_var="biased", steps=3),
        *train((2, 3, 3, 4), momentum=None, running_var="biased", steps=3),
        *train((2, 3, 3, 5), LAST, momentum=0.3, running_var="biased", offset=10.0, steps=3),
    ]


def instance_cases():
    return [
        SetCase("instance", shape, axis, **more)
        for shape, axis, more in [
            ((2, 17, 5), (1,), {}),
            ((2, 2, 49), (1,), {}),
            ((2, 2, 7, 7), (1,), {}),
            ((1, 2, 14, 14), (1,), {}),
            ((2, 2, 2, 3, 5), (1,), {}),
            ((2, 5, 17), LAST, {}),
            ((1, 3, 70), LAST, {}),
            ((1, 7, 7, 3), LAST, {}),
            ((2, 2, 2, 20), LAST, {}),
            ((1, 3, 2, 33), LAST, {}),
            ((2, 2, 2, 3, 5), LAST, {}),
            ((2, 2, 5, 7), (2,), {}),
            # One element: the answer is the bias.
            ((3, 17, 1), (1,), {}),
            ((2, 3, 1, 1), (1,), {}),
            ((2, 1, 1, 17), LAST, {}),
            ((2, 3, 1, 1), (1,), {"affine": "none"}),
            ((1, 3, 5, 5), (1,), {"affine": "none"}),
            ((1, 5, 5, 3), LAST, {"affine": "none"}),
            ((1, 3, 5, 5), (1,), {"affine": "weight"}),
            ((1, 5, 5, 3), LAST, {"affine": "weight"}),
            ((1, 3, 5, 5), (1,), {"eps": BIG_EPS}),
            ((1, 5, 5, 3), LAST, {"eps": BIG_EPS}),
            ((1, 2, 7, 7), (1,), {"offset": 10.0}),
            ((2, 2, 2, 17), LAST, {"offset": 10.0}),
        ]
    ]


def group_cases():
    return [
        SetCase("group", shape, axis, groups=groups, **more)
        for shape, axis, groups, more in [
            *(((2, 6, 3, 3), (1,), groups, {}) for groups in (1, 2, 3, 6)),
            ((3, 20), (1,), 4, {}),
            ((1, 33, 3), (1,), 3, {}),
            ((2, 6, 7), (1,), 2, {}),
            ((2, 20, 2, 2), (1,), 5, {}),
            ((2, 4, 5, 5), (1,), 2, {}),
            ((1, 4, 7, 7), (1,), 2, {}),
            ((1, 2, 7, 14), (1,), 1, {}),
            ((1, 4, 2, 3, 5), (1,), 2, {}),
            *(((2, 3, 3, 6), LAST, groups, {}) for groups in (1, 2, 3, 6)),
            ((2, 5, 20), LAST, 4, {}),
            ((2, 2, 2, 20), LAST, 5, {}),
            ((1, 3, 2, 33), LAST, 3, {}),
            ((1, 3, 64), LAST, 2, {}),
            ((1, 2, 1, 2, 34), LAST, 2, {}),
            ((2, 3, 6, 5), (2,), 2, {}),
            # One element: the answer is the bias.
            ((3, 6, 1, 1), (1,), 6, {}),
            ((3, 1, 1, 6), LAST, 6, {}),
            ((1, 6, 3, 5), (1,), 2, {"affine": "none"}),
            ((1, 3, 5, 6), LAST, 2, {"affine": "none"}),
            ((1, 6, 3, 5), (1,), 2, {"affine": "weight"}),
            ((1, 3, 5, 6), LAST, 2, {"affine": "weight"}),
            ((1, 6, 3, 5), (1,), 3, {"eps": BIG_EPS}),
            ((1, 3, 5, 6), LAST, 3, {"eps": BIG_EPS}),
            ((1, 6, 3, 5), (1,), 2, {"offset": 10.0}),
            ((1, 3, 5, 6), LAST, 2, {"offset": 10.0}),
        ]
    ]


def weight_cases():
    return [
        SetCase("weight", shape, (axis,), **more)
        for shape, axis, more in [
            # Of linear layers.
            ((7, 33), 0, {}),
            ((7, 33), 1, {}),
            ((20, 7), 0, {}),
            ((20, 7), 1, {}),
            ((2, 70), 0, {}),
            ((3, 70), -1, {}),
            # Of convolutions and transposed ones.
            ((9, 3, 5), 0, {}),
            ((5, 3, 3, 3), 0, {}),
            ((5, 3, 3, 3), 1, {}),
            ((5, 3, 2, 3), -1, {}),
            ((3, 17, 3), 0, {}),
            ((3, 17, 3), 1, {}),
            ((2, 2, 7, 7), 1, {}),
            ((2, 3, 7, 5), 2, {}),
            ((1, 2, 3, 20), -1, {}),
            ((7, 20), 0, {"affine": "none"}),
            ((7, 20), 1, {"affine": "none"}),
            ((5, 3, 3, 3), 0, {"affine": "none"}),
            ((5, 17), 0, {"offset": 10.0}),
            ((5, 17), 1, {"offset": 10.0}),
        ]
    ]


def axes_cases():
    cases = []
    for kind in ("rms", "layer"):
        for shape, axis, more in [
            ((2, 17, 2, 3), (1,), {}),
            ((1, 3, 7, 7), (1,), {}),
            ((1, 20, 11), (1,), {}),
            ((1, 3, 70), (1,), {}),
            ((2, 3, 5, 7), (1, 3), {}),
            ((1, 3, 2, 20), (1, 3), {}),
            ((17, 5), (0,), {}),
            ((4, 33), (0,), {}),
            ((3, 5, 7), (0, 1), {}),
            ((3, 2, 17), (0, 2), {}),
            ((1, 3, 5, 7), (1, 2), {}),
            ((2, 2, 3, 3, 5), (1, 3), {}),
            ((1, 7, 3, 3), (1,), {"affine": "none"}),
            ((7, 20), (0,), {"affine": "none"}),
            ((1, 7, 3, 3), (1,), {"eps": BIG_EPS}),
            ((2, 7, 3, 3), (1,), {"offset": 10.0}),
            ((2, 5, 3, 4), (1, 3), {"offset": 10.0}),
        ]:
            cases.append(SetCase(kind, shape, axis, **more))
    cases.append(SetCase("layer", (1, 7, 3, 3), (1,), affine="weight"))
    # One element: the answer is the bias.
    cases.append(SetCase("layer", (3, 1, 17), (1,)))
    return cases


def half_cases():
    """Each kind once or twice: what half types add is how tensors are read and written, whatever the kind."""
    return [
        SetCase(kind, shape, axis, dtype=dtype, **more)
        for kind, shape, axis, dtype, more in [
            ("rms", (5, 33), LAST, "bf16", {}),
            ("rms", (3, 20), LAST, "f16", {}),
            ("rms", (2, 7, 3, 3), (1,), "bf16", {}),
            ("layer", (3, 100), LAST, "f16", {}),
            ("layer", (4, 17), LAST, "bf16", {"offset": 10.0}),
            ("layer", (2, 5, 3, 4), (1, 3), "f16", {}),
            ("batch", (7, 17), (1,), "bf16", {"mode": "train", "offset": 1.0}),
            ("batch", (2, 3, 5, 5), (1,), "f16", {"mode": "train"}),
            ("batch", (2, 5, 17), LAST, "bf16", {"mode": "eval"}),
            ("instance", (2, 3, 5, 5), (1,), "bf16", {}),
            ("instance", (2, 9, 17), LAST, "f16", {}),
            ("group", (2, 6, 3, 3), (1,), "f16", {"groups": 2}),
            ("group", (2, 5, 20), LAST, "bf16", {"groups": 4}),
            ("weight", (5, 33), (0,), "bf16", {}),
            ("weight", (7, 20), (1,), "f16", {}),
        ]
    ]


def llama_cases():
    # So many elements that one in two hundred is a number.
    return [LlamaCase((8, 256), 1e-6, "bf16"), LlamaCase((8, 200), 1e-5, "bf16"), LlamaCase((16, 100), 1e-6, "f16")]


def all_cases():
    sets = [*batch_cases(), *instance_cases(), *group_cases(), *weight_cases(), *axes_cases(), *half_cases()]
    positive = [replace(case, axis=tuple(axis % len(case.shape) for axis in case.axis)) for case in sets]
    cases = build_cases() + positive + llama_cases()
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases share a name"
    return cases


CASES = all_cases()
