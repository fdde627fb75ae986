//! The weights of a convolution or a linear layer: trained as they are, or made by weight normalization.

use normkit::NormError;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::compare::{Pass, Slot};
use crate::optimizer::Parameter;

pub struct Weights {
    value: Vec<f32>,
    gradient: Vec<f32>,
    /// Owns what is trained instead of `value`.
    norm: Option<Slot>,
}

impl Weights {
    /// He initialization, uniform: variance 2 / inputs. `norm` is given the starting values.
    pub fn new(
        inputs: usize,
        outputs: usize,
        rng: &mut ChaCha8Rng,
        norm: impl FnOnce(&[f32]) -> Result<Option<Slot>, NormError>,
    ) -> Result<Self, NormError> {
        let bound = (6.0 / inputs as f32).sqrt();
        let value: Vec<f32> = (0..inputs * outputs).map(|_| rng.random_range(-bound..bound)).collect();
        Ok(Self { gradient: vec![0.0; value.len()], norm: norm(&value)?, value })
    }

    /// Brings the values up to date; before a forward pass.
    pub fn refresh(&mut self, pass: Pass) -> Result<(), NormError> {
        match &mut self.norm {
            Some(norm) => norm.forward(pass, &[], &mut self.value),
            None => Ok(()),
        }
    }

    pub fn value(&self) -> &[f32] {
        &self.value
    }

    /// Writes the gradient by `add`, which adds to zeros, and hands it on to the normalization.
    pub fn backward(&mut self, add: impl FnOnce(&mut [f32])) -> Result<(), NormError> {
        self.gradient.fill(0.0);
        add(&mut self.gradient);
        match &mut self.norm {
            Some(norm) => norm.backward(&[], &self.gradient, &mut []),
            None => Ok(()),
        }
    }

    /// Euclidean norm of the gradient, of the weights themselves whatever they are made from.
    pub fn gradient_norm(&self) -> f64 {
        self.gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt()
    }

    pub fn parameter(&mut self) -> Vec<Parameter<'_>> {
        match &mut self.norm {
            Some(norm) => norm.parameters(),
            None => vec![Parameter { value: &mut self.value, gradient: &mut self.gradient }],
        }
    }

    pub fn norm(&self) -> Option<&Slot> {
        self.norm.as_ref()
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.value[..])
    }
}
