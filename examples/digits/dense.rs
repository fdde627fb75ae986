//! A fully connected layer on plain loops, so that the example needs no linear algebra library.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::optimizer::Parameter;

/// `y = x W + b`, with `x: [rows, inputs]` and `y: [rows, outputs]`.
pub struct Linear {
    inputs: usize,
    outputs: usize,
    /// `[inputs, outputs]`
    weight: Vec<f32>,
    bias: Vec<f32>,
    dweight: Vec<f32>,
    dbias: Vec<f32>,
    transposed: Vec<f32>,
}

impl Linear {
    /// He initialization, uniform: variance 2 / inputs.
    pub fn new(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let bound = (6.0 / inputs as f32).sqrt();
        Self {
            inputs,
            outputs,
            weight: (0..inputs * outputs).map(|_| rng.random_range(-bound..bound)).collect(),
            bias: vec![0.0; outputs],
            dweight: vec![0.0; inputs * outputs],
            dbias: vec![0.0; outputs],
            transposed: Vec::new(),
        }
    }

    pub fn forward(&self, x: &[f32], y: &mut Vec<f32>) {
        y.clear();
        for _ in 0..x.len() / self.inputs {
            y.extend_from_slice(&self.bias);
        }
        multiply_add(x, &self.weight, self.inputs, self.outputs, y);
    }

    /// Adds to the gradients of weight and bias.
    pub fn backward(&mut self, x: &[f32], dy: &[f32]) {
        transpose(x, self.inputs, &mut self.transposed);
        let rows = dy.len() / self.outputs;
        multiply_add(&self.transposed, dy, rows, self.outputs, &mut self.dweight);
        for dy in dy.chunks_exact(self.outputs) {
            self.dbias.iter_mut().zip(dy).for_each(|(a, b)| *a += b);
        }
    }

    /// Makes `dx` the gradient of `x`.
    pub fn backward_input(&mut self, dy: &[f32], dx: &mut Vec<f32>) {
        transpose(&self.weight, self.outputs, &mut self.transposed);
        dx.clear();
        dx.resize(dy.len() / self.outputs * self.inputs, 0.0);
        multiply_add(dy, &self.transposed, self.outputs, self.inputs, dx);
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter { value: &mut self.weight, gradient: &mut self.dweight },
            Parameter { value: &mut self.bias, gradient: &mut self.dbias },
        ]
    }
}

/// `c += a b` with `a: [_, k]`, `b: [k, n]`, `c: [_, n]`. Four rows of `b` at a time, along whole rows: the compiler makes
/// vectors of the inner loop.
fn multiply_add(a: &[f32], b: &[f32], k: usize, n: usize, c: &mut [f32]) {
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
        let (fours, rest) = a.as_chunks::<4>();
        let (b_fours, b_rest) = b.split_at(fours.len() * 4 * n);
        for (a, b) in fours.iter().zip(b_fours.chunks_exact(4 * n)) {
            let (b01, b23) = b.split_at(2 * n);
            let ((b0, b1), (b2, b3)) = (b01.split_at(n), b23.split_at(n));
            for ((((c, b0), b1), b2), b3) in c.iter_mut().zip(b0).zip(b1).zip(b2).zip(b3) {
                *c += a[0] * b0 + a[1] * b1 + a[2] * b2 + a[3] * b3;
            }
        }
        for (a, b) in rest.iter().zip(b_rest.chunks_exact(n)) {
            c.iter_mut().zip(b).for_each(|(c, b)| *c += a * b);
        }
    }
}

/// Makes `to` the transpose of `from: [_, columns]`.
fn transpose(from: &[f32], columns: usize, to: &mut Vec<f32>) {
    let rows = from.len() / columns;
    to.clear();
    to.reserve(from.len());
    for column in 0..columns {
        to.extend((0..rows).map(|row| from[row * columns + column]));
    }
}
