//! The network: blocks of convolution, normalization and ReLU, and a linear layer to 10 scores.

use normkit::NormError;
use rand::rngs::ChaCha8Rng;

use crate::compare::{Pass, Slot};
use crate::conv::{Conv, Geometry};
use crate::data::{CLASSES, Set};
use crate::linear::Linear;
use crate::optimizer::Parameter;
use crate::technique::{Bytes, Place};
use crate::weights::Weights;

/// From the image on. The annotated layers are generated for these.
pub const CONVS: [Geometry; 5] = [
    Geometry { inputs: 1, outputs: 16, size: 8, stride: 1 },
    Geometry { inputs: 16, outputs: 16, size: 8, stride: 2 },
    Geometry { inputs: 16, outputs: 16, size: 4, stride: 2 },
    Geometry { inputs: 16, outputs: 16, size: 2, stride: 1 },
    Geometry { inputs: 16, outputs: 32, size: 2, stride: 1 },
];
/// Inputs and outputs.
pub const LINEAR: (usize, usize) = (32 * 2 * 2, CLASSES);
/// Layers with weights.
pub const LAYERS: usize = CONVS.len() + 1;

pub struct Model {
    blocks: Vec<Block>,
    output: Linear,
    scores: Vec<f32>,
    dscores: Vec<f32>,
    dactive: Vec<f32>,
}

/// With the values that the backward pass needs again.
struct Block {
    conv: Conv,
    norm: Option<Slot>,
    /// What the convolution gave; without a normalization it moves on to `active`.
    summed: Vec<f32>,
    active: Vec<f32>,
    dsummed: Vec<f32>,
}

impl Model {
    pub fn new(rng: &mut ChaCha8Rng, place: Place) -> Result<Self, NormError> {
        let mut weights = |i: usize, inputs, outputs| {
            Weights::new(inputs, outputs, rng, |start| match place {
                Place::Weights(make) => make(i, start).map(|twins| Some(Slot::new(twins))),
                _ => Ok(None),
            })
        };
        let blocks = CONVS.iter().enumerate().map(|(i, geometry)| {
            Ok(Block {
                conv: Conv::new(weights(i, geometry.fan_in(), geometry.outputs)?, *geometry),
                norm: match place {
                    Place::Activations(make) => Some(Slot::new(make(i))),
                    _ => None,
                },
                summed: Vec::new(),
                active: Vec::new(),
                dsummed: Vec::new(),
            })
        });
        let blocks = blocks.collect::<Result<_, _>>()?;
        let (inputs, outputs) = LINEAR;
        Ok(Self {
            blocks,
            output: Linear::new(weights(CONVS.len(), inputs, outputs)?, inputs, outputs),
            scores: Vec::new(),
            dscores: Vec::new(),
            dactive: Vec::new(),
        })
    }

    /// The scores of `set`: `[images, CLASSES]`.
    pub fn scores(&mut self, pass: Pass, set: &Set) -> Result<&[f32], NormError> {
        let mut x = &set.x;
        for block in &mut self.blocks {
            block.forward(pass, x)?;
            x = &block.active;
        }
        self.output.forward(pass, x, &mut self.scores)?;
        Ok(&self.scores)
    }

    /// Share of the images of `set` that are recognized.
    pub fn accuracy(&mut self, set: &Set) -> Result<f64, NormError> {
        let scores = self.scores(Pass::Inference, set)?.chunks_exact(CLASSES);
        let correct = scores.zip(&set.labels).filter(|(scores, label)| best(scores) == usize::from(**label)).count();
        Ok(correct as f64 / set.len() as f64)
    }

    /// Adds to the gradients; gives the cross-entropy loss, summed over the images of `set`.
    pub fn loss_and_gradients(&mut self, set: &Set) -> Result<f64, NormError> {
        self.scores(Pass::Training, set)?;
        let loss = cross_entropy(&self.scores, &set.labels, &mut self.dscores);
        let last = &self.blocks[CONVS.len() - 1].active;
        self.output.backward(last, &self.dscores, &mut self.dactive)?;
        for (i, block) in self.blocks.iter_mut().enumerate().rev() {
            // no one needs the gradient of the image
            block.backward(&mut self.dactive, i > 0)?;
        }
        Ok(loss)
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mut all = Vec::new();
        for block in &mut self.blocks {
            all.extend(block.conv.parameters());
            all.extend(block.norm.iter_mut().flat_map(Slot::parameters));
        }
        all.extend(self.output.parameters());
        all
    }

    /// Of the weights of each layer, from the image on.
    pub fn gradient_norms(&self) -> [f64; LAYERS] {
        let mut norms = [self.output.weights.gradient_norm(); LAYERS];
        for (norm, block) in norms.iter_mut().zip(&self.blocks) {
            *norm = block.conv.weights.gradient_norm();
        }
        norms
    }

    /// The running statistics.
    pub fn buffers(&mut self) -> Vec<&mut [f32]> {
        self.blocks.iter_mut().flat_map(|b| &mut b.norm).flat_map(Slot::buffers).collect()
    }

    /// All normalizations.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        let blocks = self.blocks.iter().flat_map(|b| b.norm.iter().chain(b.conv.weights.norm()));
        blocks.chain(self.output.weights.norm())
    }

    /// What the normalizations need on top of the same model without, after a training step.
    pub fn bytes(&self) -> Bytes {
        let mut all = Bytes::default();
        let weights = self.blocks.iter().map(|b| &b.conv.weights).chain([&self.output.weights]);
        for slot in self.slots() {
            let bytes = slot.leader().bytes();
            all.parameters += bytes.parameters;
            all.saved += bytes.saved;
        }
        for weights in weights.filter(|w| w.norm().is_some()) {
            // its parameter stands in for the weights, which are now one of the values to keep
            all.parameters -= weights.bytes();
            all.saved += weights.bytes();
        }
        for block in self.blocks.iter().filter(|b| b.norm.is_some()) {
            all.saved += size_of_val(&block.summed[..]);
        }
        all
    }
}

impl Block {
    fn forward(&mut self, pass: Pass, x: &[f32]) -> Result<(), NormError> {
        self.conv.forward(pass, x, &mut self.summed)?;
        if let Some(norm) = &mut self.norm {
            self.active.resize(self.summed.len(), 0.0);
            norm.forward(pass, &self.summed, &mut self.active)?;
        } else {
            std::mem::swap(&mut self.summed, &mut self.active);
        }
        self.active.iter_mut().for_each(|v| *v = v.max(0.0));
        Ok(())
    }

    /// Adds to the gradients and, if `further`, makes `dactive` that of the block's input.
    fn backward(&mut self, dactive: &mut Vec<f32>, further: bool) -> Result<(), NormError> {
        for (d, v) in dactive.iter_mut().zip(&self.active) {
            *d = if *v > 0.0 { *d } else { 0.0 };
        }
        if let Some(norm) = &mut self.norm {
            self.dsummed.resize(dactive.len(), 0.0);
            norm.backward(&self.summed, dactive, &mut self.dsummed)?;
        } else {
            std::mem::swap(dactive, &mut self.dsummed);
        }
        self.conv.backward(&self.dsummed, further.then_some(dactive))
    }
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
