//! A fully connected layer.

use normkit::NormError;

use crate::compare::Pass;
use crate::matrix::{multiply_add, transpose};
use crate::optimizer::Parameter;
use crate::weights::Weights;

/// `y = x W + b` with `x: [images, inputs]`, `W: [inputs, outputs]`, `y: [images, outputs]`.
pub struct Linear {
    pub weights: Weights,
    bias: Vec<f32>,
    dbias: Vec<f32>,
    inputs: usize,
    transposed: Vec<f32>,
}

impl Linear {
    pub fn new(weights: Weights, inputs: usize, outputs: usize) -> Self {
        Self { weights, bias: vec![0.0; outputs], dbias: vec![0.0; outputs], inputs, transposed: Vec::new() }
    }

    pub fn forward(&mut self, pass: Pass, x: &[f32], y: &mut Vec<f32>) -> Result<(), NormError> {
        self.weights.refresh(pass)?;
        y.clear();
        for _ in x.chunks_exact(self.inputs) {
            y.extend_from_slice(&self.bias);
        }
        multiply_add(x, self.weights.value(), self.inputs, self.bias.len(), y);
        Ok(())
    }

    /// Adds to the gradients of the parameters and makes `dx` that of `x`.
    pub fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut Vec<f32>) -> Result<(), NormError> {
        let outputs = self.bias.len();
        dx.clear();
        dx.resize(x.len(), 0.0);
        transpose(self.weights.value(), outputs, &mut self.transposed);
        multiply_add(dy, &self.transposed, outputs, self.inputs, dx);
        for dy in dy.chunks_exact(outputs) {
            self.dbias.iter_mut().zip(dy).for_each(|(sum, d)| *sum += d);
        }
        transpose(x, self.inputs, &mut self.transposed);
        self.weights.backward(|dw| multiply_add(&self.transposed, dy, dy.len() / outputs, outputs, dw))
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mut all = self.weights.parameter();
        all.push(Parameter { value: &mut self.bias, gradient: &mut self.dbias });
        all
    }
}
