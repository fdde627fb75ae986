"""JAX: compiled functions as its users write them, and their gradients."""

import jax
import jax.numpy as jnp

VERSION = f"jax {jax.__version__}"


def contenders(task, _args):
    """Calls, each with what reads its last output."""
    function, inputs = layer(task)
    if task.backward:

        def gradient(dy, *inputs):
            return jax.vjp(function, *inputs)[1](dy)

        return {"jax": contender(jax.jit(gradient), [jnp.asarray(task.dy), *inputs], lambda grads: grads[0])}
    return {"jax": contender(jax.jit(function), inputs, lambda y: y)}


def layer(task):
    """The function, and its inputs. Arrays have the axes of memory: where channels lie last, they are the last axis."""
    x, weight, bias = jnp.asarray(task.x), jnp.asarray(task.weight), jnp.asarray(task.bias)
    channel = x.ndim - 1 if task.last else task.param_axis % x.ndim
    shape = [1] * x.ndim
    shape[channel] = task.params
    if task.kind == "weight":
        return lambda v, g: v * (g.reshape(shape) / jnp.linalg.norm(v, axis=1, keepdims=True)), [x, weight]
    if task.kind == "rms":

        def rms(x, w):
            wide = x.astype(jnp.float32)
            mean = jnp.mean(wide * wide, -1, keepdims=True)
            return (wide * jax.lax.rsqrt(mean + task.eps) * w).astype(x.dtype)

        return rms, [x, weight]
    if task.step == "infer":
        mean, var = (jnp.asarray(array).reshape(shape) for array in (task.running_mean, task.running_var))
        return lambda x, w, b: affine((x - mean) * jax.lax.rsqrt(var + task.eps), w, b, shape), [x, weight, bias]
    if task.kind in ("group", "instance"):
        return grouped(task, channel, shape), [x, weight, bias]
    if task.kind == "batch":
        axes = tuple(axis for axis in range(x.ndim) if axis != channel)
    else:
        axes = (task.axis or -1,)
    return lambda x, w, b: affine(normalized(x, axes, task.eps), w, b, shape), [x, weight, bias]


def grouped(task, channel, shape):
    """With an axis of groups before that of the channels; of instances, each channel is a group."""

    def function(x, w, b):
        dims = list(x.shape)
        groups = task.groups or task.params
        dims[channel : channel + 1] = [groups, task.params // groups]
        axes = tuple(axis for axis in range(1, len(dims)) if axis != channel)
        return affine(normalized(x.reshape(dims), axes, task.eps).reshape(x.shape), w, b, shape)

    return function


def normalized(x, axes, eps):
    mean = jnp.mean(x, axes, keepdims=True)
    var = jnp.var(x, axes, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + eps)


def affine(normalized, weight, bias, shape):
    return normalized * weight.reshape(shape) + bias.reshape(shape)


def contender(function, inputs, output):
    last = []

    def call():
        last.clear()
        last.append(jax.block_until_ready(function(*inputs)))

    return call, lambda: output(last[0])
