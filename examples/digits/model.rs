//! The network: 64 pixels, two hidden blocks of linear layer, normalization and SiLU, and a linear layer to 10 scores.
//!
//! SiLU and not ReLU: where an input near zero differs by rounding, ReLU switches a gradient on or off, and two trainings that
//! should agree part by up to a per cent; with a smooth function they stay together (1e-6).

use normkit::NormError;
use rand::rngs::ChaCha8Rng;

use crate::compare::{Meter, Slot};
use crate::data::{CLASSES, PIXELS, Set};
use crate::dense::Linear;
use crate::optimizer::Parameter;
use crate::technique::WIDTH;

pub struct Mlp {
    hidden: [Block; 2],
    output: Linear,
    scores: Vec<f32>,
    dscores: Vec<f32>,
    dactive: Vec<f32>,
}

/// Linear layer, normalization if any, SiLU; with the values that the backward pass needs again.
struct Block {
    linear: Linear,
    norm: Option<Slot>,
    /// What the linear layer gave; without a normalization it moves on to `normed`.
    summed: Vec<f32>,
    normed: Vec<f32>,
    active: Vec<f32>,
    dsummed: Vec<f32>,
}

impl Mlp {
    /// `norm` is asked once for each hidden block.
    pub fn new(rng: &mut ChaCha8Rng, norm: impl Fn() -> Option<Slot>) -> Self {
        Self {
            hidden: [PIXELS, WIDTH].map(|inputs| Block {
                linear: Linear::new(inputs, WIDTH, rng),
                norm: norm(),
                summed: Vec::new(),
                normed: Vec::new(),
                active: Vec::new(),
                dsummed: Vec::new(),
            }),
            output: Linear::new(WIDTH, CLASSES, rng),
            scores: Vec::new(),
            dscores: Vec::new(),
            dactive: Vec::new(),
        }
    }

    /// How many images of `set` are recognized.
    pub fn count_correct(&mut self, set: &Set) -> Result<usize, NormError> {
        self.forward(&set.x, Slot::forward)?;
        let scores = self.scores.chunks_exact(CLASSES);
        Ok(scores.zip(&set.labels).filter(|(scores, label)| best(scores) == usize::from(**label)).count())
    }

    /// Adds to the gradients; gives the cross-entropy loss, summed over the images of `set`.
    pub fn loss_and_gradients(&mut self, set: &Set) -> Result<f64, NormError> {
        self.forward(&set.x, Slot::forward_train)?;
        let loss = cross_entropy(&self.scores, &set.labels, &mut self.dscores);

        let [first, second] = &mut self.hidden;
        self.output.backward(&second.active, &self.dscores);
        self.output.backward_input(&self.dscores, &mut self.dactive);
        second.backward(&first.active, &mut self.dactive)?;
        second.linear.backward_input(&second.dsummed, &mut self.dactive);
        first.backward(&set.x, &mut self.dactive)?;
        Ok(loss)
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mut all = Vec::new();
        for block in &mut self.hidden {
            all.extend(block.linear.parameters());
            all.extend(block.norm.iter_mut().flat_map(Slot::parameters));
        }
        all.extend(self.output.parameters());
        all
    }

    /// Of all normalizations together; `None` where nothing was compared.
    pub fn meter(&self) -> Option<Meter> {
        let slots = self.hidden.iter().filter_map(|block| block.norm.as_ref());
        slots.filter_map(Slot::meter).reduce(Meter::merge)
    }

    fn forward(&mut self, x: &[f32], pass: NormPass) -> Result<(), NormError> {
        let [first, second] = &mut self.hidden;
        first.forward(x, pass)?;
        second.forward(&first.active, pass)?;
        self.output.forward(&second.active, &mut self.scores);
        Ok(())
    }
}

/// [`Slot::forward`] or [`Slot::forward_train`].
type NormPass = fn(&mut Slot, &[f32], &mut [f32]) -> Result<(), NormError>;

impl Block {
    fn forward(&mut self, x: &[f32], pass: NormPass) -> Result<(), NormError> {
        self.linear.forward(x, &mut self.summed);
        if let Some(norm) = &mut self.norm {
            self.normed.resize(self.summed.len(), 0.0);
            pass(norm, &self.summed, &mut self.normed)?;
        } else {
            std::mem::swap(&mut self.summed, &mut self.normed);
        }
        self.active.clear();
        let silu = |v: &f32| v * sigmoid(*v);
        self.active.extend(self.normed.iter().map(silu));
        Ok(())
    }

    /// Adds to the gradients and leaves that of the linear layer's output in `dsummed`. Uses `dactive` up.
    fn backward(&mut self, x: &[f32], dactive: &mut Vec<f32>) -> Result<(), NormError> {
        for (d, v) in dactive.iter_mut().zip(&self.normed) {
            let s = sigmoid(*v);
            *d *= s * (1.0 + v * (1.0 - s));
        }
        if let Some(norm) = &mut self.norm {
            self.dsummed.resize(dactive.len(), 0.0);
            norm.backward(&self.summed, dactive, &mut self.dsummed)?;
        } else {
            std::mem::swap(dactive, &mut self.dsummed);
        }
        self.linear.backward(x, &self.dsummed);
        Ok(())
    }
}

fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

/// Softmax and cross-entropy: the loss summed over the rows, and in `dscores` the gradient of its mean.
fn cross_entropy(scores: &[f32], labels: &[u8], dscores: &mut Vec<f32>) -> f64 {
    let mut loss = 0.0;
    dscores.clear();
    for (scores, &label) in scores.chunks_exact(CLASSES).zip(labels) {
        let label = usize::from(label);
        let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = scores.iter().map(|s| (s - max).exp()).sum();
        loss += f64::from(sum.ln() + max - scores[label]);
        dscores.extend(scores.iter().enumerate().map(|(class, s)| {
            let target = if class == label { 1.0 } else { 0.0 };
            ((s - max).exp() / sum - target) / labels.len() as f32
        }));
    }
    loss
}

fn best(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best })
}
