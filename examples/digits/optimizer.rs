//! Stochastic gradient descent with momentum.

/// A parameter and its gradient, wherever they live: in a linear layer or in a normalization layer.
pub struct Parameter<'a> {
    pub value: &'a mut [f32],
    pub gradient: &'a mut [f32],
}

pub struct Momentum {
    rate: f32,
    momentum: f32,
    /// One for each parameter, in the order in which the model lists them.
    velocity: Vec<Vec<f32>>,
}

impl Momentum {
    pub fn new(rate: f32, momentum: f32) -> Self {
        Self { rate, momentum, velocity: Vec::new() }
    }

    /// One step along the gradients, which are then set back to zero.
    pub fn step(&mut self, parameters: Vec<Parameter<'_>>) {
        self.velocity.resize(parameters.len(), Vec::new());
        for (parameter, velocity) in parameters.into_iter().zip(&mut self.velocity) {
            velocity.resize(parameter.value.len(), 0.0);
            let values = parameter.value.iter_mut().zip(parameter.gradient);
            for ((value, gradient), velocity) in values.zip(velocity) {
                *velocity = self.momentum * *velocity + *gradient;
                *value -= self.rate * *velocity;
                *gradient = 0.0;
            }
        }
    }
}
