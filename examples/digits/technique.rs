//! The techniques on trial. **To add one, add a row to [`TECHNIQUES`]**, with a type for its generated layer and one for
//! its generic twin; nothing else in this example knows which techniques there are.

use normkit::{NormError, Saved, generic, normalize};

use crate::optimizer::Parameter;

/// Width of the hidden layers.
pub const WIDTH: usize = 128;

pub struct Technique {
    /// What `--technique` calls it.
    pub name: &'static str,
    pub about: &'static str,
    /// Of its curve in the chart.
    pub color: (u8, u8, u8),
    /// `None`: the model goes without.
    pub norm: Option<Twins>,
}

/// The same layer twice.
#[derive(Clone, Copy)]
pub struct Twins {
    /// On the kernels that normkit generates.
    pub generated: fn() -> Box<dyn Norm>,
    /// On `normkit::generic`, the scalar code that a person would write.
    pub generic: fn() -> Box<dyn Norm>,
}

pub static TECHNIQUES: &[Technique] = &[
    Technique { name: "none", about: "No normalization", color: (110, 110, 110), norm: None },
    Technique {
        name: "rms",
        about: "RMS normalization (Zhang and Sennrich 2019)",
        color: (230, 120, 0),
        norm: Some(Twins { generated: || Box::new(Rms::new()), generic: || Box::new(GenericRms::new()) }),
    },
    Technique {
        name: "layer",
        about: "Layer normalization (Ba, Kiros and Hinton 2016)",
        color: (0, 100, 190),
        norm: Some(Twins { generated: || Box::new(Layer::new()), generic: || Box::new(GenericLayer::new()) }),
    },
];

/// What the model asks of a normalization layer; arrays are `[rows, WIDTH]`.
pub trait Norm {
    /// For inference.
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError>;
    /// For training: may keep what `backward` needs, and may update running statistics.
    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError>;
    /// Writes `dx`, adds to the gradients of the parameters.
    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError>;
    /// In the same order for both twins.
    fn parameters(&mut self) -> Vec<Parameter<'_>>;
}

// RMS normalization: the weight is declared, and tells the size and the type.

#[normalize(kind = "rms", axis = -1, eps = 1e-6)]
pub struct RmsHidden {
    pub weight: [f32; 128],
}

struct Rms {
    norm: RmsHidden,
    saved: Saved<f32>,
    grads: RmsHiddenGrads,
}

impl Rms {
    fn new() -> Self {
        Self { norm: RmsHidden::new(), saved: Saved::default(), grads: RmsHiddenGrads::new() }
    }
}

impl Norm for Rms {
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.norm.forward(x, y)
    }

    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.norm.forward_train(x, y, &mut self.saved)
    }

    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        self.norm.backward(x, dy, &self.saved, dx, &mut self.grads)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter { value: &mut self.norm.weight, gradient: &mut self.grads.weight }]
    }
}

struct GenericRms {
    weight: [f32; WIDTH],
    dweight: [f32; WIDTH],
}

impl GenericRms {
    const EPS: f64 = 1e-6;

    fn new() -> Self {
        Self { weight: [1.0; WIDTH], dweight: [0.0; WIDTH] }
    }
}

impl Norm for GenericRms {
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        generic::rms_forward(x, Some(&self.weight), Self::EPS, WIDTH, y);
        Ok(())
    }

    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.forward(x, y)
    }

    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        let (weight, dweight) = (Some(&self.weight[..]), Some(&mut self.dweight[..]));
        generic::rms_backward(x, dy, weight, Self::EPS, WIDTH, dx, dweight);
        Ok(())
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter { value: &mut self.weight, gradient: &mut self.dweight }]
    }
}

// Layer normalization: only the shape is given, the fields weight and bias are added.

#[normalize(kind = "layer", shape = [_, 128])]
pub struct LayerHidden;

struct Layer {
    norm: LayerHidden,
    saved: Saved<f32>,
    grads: LayerHiddenGrads,
}

impl Layer {
    fn new() -> Self {
        Self { norm: LayerHidden::new(), saved: Saved::default(), grads: LayerHiddenGrads::new() }
    }
}

impl Norm for Layer {
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.norm.forward(x, y)
    }

    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.norm.forward_train(x, y, &mut self.saved)
    }

    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        self.norm.backward(x, dy, &self.saved, dx, &mut self.grads)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter { value: &mut self.norm.weight, gradient: &mut self.grads.weight },
            Parameter { value: &mut self.norm.bias, gradient: &mut self.grads.bias },
        ]
    }
}

struct GenericLayer {
    weight: [f32; WIDTH],
    bias: [f32; WIDTH],
    dweight: [f32; WIDTH],
    dbias: [f32; WIDTH],
}

impl GenericLayer {
    const EPS: f64 = 1e-5;

    fn new() -> Self {
        Self { weight: [1.0; WIDTH], bias: [0.0; WIDTH], dweight: [0.0; WIDTH], dbias: [0.0; WIDTH] }
    }
}

impl Norm for GenericLayer {
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        let (weight, bias) = (Some(&self.weight[..]), Some(&self.bias[..]));
        generic::layer_forward(x, weight, bias, Self::EPS, WIDTH, y);
        Ok(())
    }

    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError> {
        self.forward(x, y)
    }

    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError> {
        let weight = Some(&self.weight[..]);
        let (dweight, dbias) = (Some(&mut self.dweight[..]), Some(&mut self.dbias[..]));
        generic::layer_backward(x, dy, weight, Self::EPS, WIDTH, dx, dweight, dbias);
        Ok(())
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter { value: &mut self.weight, gradient: &mut self.dweight },
            Parameter { value: &mut self.bias, gradient: &mut self.dbias },
        ]
    }
}
