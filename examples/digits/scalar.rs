//! The twins: the same layers on `normkit::generic`, the scalar code that a person would write.

use normkit::NormError;
use normkit::generic::{self, Running};

use crate::model::{CONVS, LINEAR};
use crate::optimizer::Parameter;
use crate::technique::Norm;

/// How activations are normalized.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Batch,
    Instance,
    Group(usize),
    /// Over the channels of each pixel.
    Layer,
    /// Over the whole image.
    Rms,
}

struct Activations {
    kind: Kind,
    channels: usize,
    pixels: usize,
    weight: Vec<f32>,
    /// Empty where the kind has none.
    bias: Vec<f32>,
    dweight: Vec<f32>,
    dbias: Vec<f32>,
    running: Option<(Vec<f32>, Vec<f32>)>,
}

const EPS: f64 = 1e-5;
const RMS_EPS: f64 = 1e-6;
const MOMENTUM: f64 = 0.1;

/// The layer after this convolution.
pub fn after(conv: usize, kind: Kind) -> Box<dyn Norm> {
    let (channels, pixels) = (CONVS[conv].outputs, CONVS[conv].pixels());
    let (weights, biases) = if kind == Kind::Rms { (channels * pixels, 0) } else { (channels, channels) };
    Box::new(Activations {
        kind,
        channels,
        pixels,
        weight: vec![1.0; weights],
        bias: vec![0.0; biases],
        dweight: vec![0.0; weights],
        dbias: vec![0.0; biases],
        running: (kind == Kind::Batch).then(|| (vec![0.0; channels], vec![1.0; channels])),
    })
}

impl Activations {
    fn shape(&self, x: &[f32]) -> [usize; 3] {
        [x.len() / (self.channels * self.pixels), self.channels, self.pixels]
    }
}

impl Norm for Activations {
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        let (shape, w, b) = (self.shape(x), Some(&self.weight[..]), Some(&self.bias[..]));
        match (self.kind, &self.running) {
            (Kind::Batch, Some((mean, var))) => generic::batch_forward(x, mean, var, w, b, EPS, shape, y),
            (Kind::Batch, None) => generic::batch_forward_train(x, w, b, EPS, shape, None, y),
            (Kind::Instance, _) => generic::instance_forward(x, w, b, EPS, shape, y),
            (Kind::Group(groups), _) => generic::group_forward(x, w, b, EPS, shape, groups, y),
            (Kind::Layer, _) => generic::layer_forward_middle(x, w, b, EPS, shape, y),
            (Kind::Rms, _) => generic::rms_forward(x, w, RMS_EPS, self.weight.len(), y),
        }
        Ok(())
    }

    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        let shape = self.shape(x);
        let Some((mean, var)) = &mut self.running else { return self.forward(x, y) };
        let running = Some(Running { mean, var, momentum: MOMENTUM });
        generic::batch_forward_train(x, Some(&self.weight), Some(&self.bias), EPS, shape, running, y);
        Ok(())
    }

    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        let (shape, w) = (self.shape(x), Some(&self.weight[..]));
        let (dw, db) = (Some(&mut self.dweight[..]), Some(&mut self.dbias[..]));
        match self.kind {
            Kind::Batch => generic::batch_backward(x, dy, w, EPS, shape, dx, dw, db),
            Kind::Instance => generic::instance_backward(x, dy, w, EPS, shape, dx, dw, db),
            Kind::Group(groups) => generic::group_backward(x, dy, w, EPS, shape, groups, dx, dw, db),
            Kind::Layer => generic::layer_backward_middle(x, dy, w, EPS, shape, dx, dw, db),
            Kind::Rms => generic::rms_backward(x, dy, w, RMS_EPS, self.weight.len(), dx, dw),
        }
        Ok(())
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mut all = vec![Parameter { value: &mut self.weight, gradient: &mut self.dweight }];
        if !self.bias.is_empty() {
            all.push(Parameter { value: &mut self.bias, gradient: &mut self.dbias });
        }
        all
    }

    fn buffers(&mut self) -> Vec<&mut [f32]> {
        self.running.iter_mut().flat_map(|(mean, var)| [&mut mean[..], var]).collect()
    }
}

/// `w = g v / |v|`
struct Weights {
    /// `[outer, kept, inner]`: a norm for each index of the middle.
    shape: [usize; 3],
    v: Vec<f32>,
    g: Vec<f32>,
    dv: Vec<f32>,
    dg: Vec<f32>,
}

/// The layer for the weights of this convolution, or of the linear layer that comes after all.
pub fn of(layer: usize) -> Box<dyn Norm> {
    let shape = match CONVS.get(layer) {
        Some(conv) => [1, conv.outputs, conv.fan_in()],
        None => [LINEAR.0, LINEAR.1, 1],
    };
    let len = shape.iter().product();
    // whatever: at each call they are set to what the leader has
    let (v, g) = (vec![1.0; len], vec![1.0; shape[1]]);
    Box::new(Weights { shape, dv: vec![0.0; len], dg: vec![0.0; g.len()], v, g })
}

impl Norm for Weights {
    fn forward(&self, _: &[f32], w: &mut [f32]) -> Result<(), NormError> {
        generic::weight_forward(&self.v, Some(&self.g), self.shape, w);
        Ok(())
    }

    fn forward_train(&mut self, x: &[f32], w: &mut [f32]) -> Result<(), NormError> {
        self.forward(x, w)
    }

    fn backward(&mut self, _: &[f32], dw: &[f32], _: &mut [f32]) -> Result<(), NormError> {
        generic::weight_backward(&self.v, dw, Some(&self.g), self.shape, &mut self.dv, Some(&mut self.dg));
        Ok(())
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter { value: &mut self.v, gradient: &mut self.dv },
            Parameter { value: &mut self.g, gradient: &mut self.dg },
        ]
    }
}
