//! A 3x3 convolution with a border of zeros: patches laid out as columns, and a matrix product for each image.

use normkit::NormError;

use crate::compare::Pass;
use crate::matrix::{multiply_add, transpose};
use crate::optimizer::Parameter;
use crate::weights::Weights;

/// Weights of a filter for each of its input channels.
pub const FILTER: usize = 3 * 3;

/// Channels and sizes; images are square.
#[derive(Clone, Copy)]
pub struct Geometry {
    pub inputs: usize,
    pub outputs: usize,
    /// Edge of an input image.
    pub size: usize,
    pub stride: usize,
}

impl Geometry {
    /// Pixels of an output image.
    pub fn pixels(self) -> usize {
        (self.size / self.stride).pow(2)
    }

    /// Weights of an output channel.
    pub fn fan_in(self) -> usize {
        self.inputs * FILTER
    }

    /// For each row of the patches and each pixel of the output, in order: which pixel of the input it takes.
    fn taps(self) -> Vec<Option<u32>> {
        let Self { inputs, size, stride, .. } = self;
        let edge = size / stride;
        let mut taps = Vec::with_capacity(self.fan_in() * self.pixels());
        for (channel, dy, dx) in (0..inputs * FILTER).map(|i| (i / FILTER, i % FILTER / 3, i % 3)) {
            for (row, column) in (0..edge * edge).map(|i| (i / edge * stride + dy, i % edge * stride + dx)) {
                // one more than the place in the image, as the border is one pixel wide
                let inside = (1..=size).contains(&row) && (1..=size).contains(&column);
                taps.push(inside.then(|| ((channel * size + row - 1) * size + column - 1) as u32));
            }
        }
        taps
    }
}

/// `x: [images, inputs, size, size]` to `y: [images, outputs, size / stride, size / stride]`.
pub struct Conv {
    /// `[outputs, inputs, 3, 3]`
    pub weights: Weights,
    bias: Vec<f32>,
    dbias: Vec<f32>,
    geometry: Geometry,
    taps: Vec<Option<u32>>,
    /// Of all images of the last forward pass: each `[inputs * 9, pixels]`.
    patches: Vec<f32>,
}

impl Conv {
    pub fn new(weights: Weights, geometry: Geometry) -> Self {
        Self {
            weights,
            bias: vec![0.0; geometry.outputs],
            dbias: vec![0.0; geometry.outputs],
            geometry,
            taps: geometry.taps(),
            patches: Vec::new(),
        }
    }

    pub fn forward(&mut self, pass: Pass, x: &[f32], y: &mut Vec<f32>) -> Result<(), NormError> {
        self.weights.refresh(pass)?;
        let (k, pixels) = (self.geometry.fan_in(), self.geometry.pixels());
        self.patches.clear();
        y.clear();
        for image in x.chunks_exact(x_len(self.geometry)) {
            let start = self.patches.len();
            self.patches.extend(self.taps.iter().map(|tap| tap.map_or(0.0, |i| image[i as usize])));
            let begin = y.len();
            for bias in &self.bias {
                y.extend(std::iter::repeat_n(*bias, pixels));
            }
            multiply_add(self.weights.value(), &self.patches[start..], k, pixels, &mut y[begin..]);
        }
        Ok(())
    }

    /// Adds to the gradients of the parameters and, if given, makes `dx` that of `x`.
    pub fn backward(&mut self, dy: &[f32], dx: Option<&mut Vec<f32>>) -> Result<(), NormError> {
        let Geometry { outputs, .. } = self.geometry;
        let (k, pixels) = (self.geometry.fan_in(), self.geometry.pixels());
        for (dy, i) in dy.chunks_exact(pixels).zip((0..outputs).cycle()) {
            self.dbias[i] += dy.iter().sum::<f32>();
        }
        if let Some(dx) = dx {
            let images = dy.len() / (outputs * pixels);
            let mut transposed = Vec::new();
            transpose(self.weights.value(), k, &mut transposed);
            let mut dpatches = vec![0.0; k * pixels];
            dx.clear();
            dx.resize(images * x_len(self.geometry), 0.0);
            let images = dy.chunks_exact(outputs * pixels).zip(dx.chunks_exact_mut(x_len(self.geometry)));
            for (dy, dx) in images {
                dpatches.fill(0.0);
                multiply_add(&transposed, dy, outputs, pixels, &mut dpatches);
                for (tap, d) in self.taps.iter().zip(&dpatches) {
                    if let Some(i) = tap {
                        dx[*i as usize] += d;
                    }
                }
            }
        }
        let patches = self.patches.chunks_exact(k * pixels);
        self.weights.backward(|dw| {
            let mut transposed = Vec::new();
            for (patches, dy) in patches.zip(dy.chunks_exact(outputs * pixels)) {
                transpose(patches, pixels, &mut transposed);
                multiply_add(dy, &transposed, pixels, k, dw);
            }
        })
    }

    pub fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mut all = self.weights.parameter();
        all.push(Parameter { value: &mut self.bias, gradient: &mut self.dbias });
        all
    }
}

/// Elements of an input image.
fn x_len(geometry: Geometry) -> usize {
    geometry.inputs * geometry.size.pow(2)
}
