//! The techniques on trial. **To add one, add a row to [`TECHNIQUES`]**, with its annotated layers; nothing else in this
//! example knows which techniques there are.

use normkit::NormError;

use crate::layers;
use crate::optimizer::Parameter;
use crate::scalar::{self, Kind};

pub struct Technique {
    /// What `--technique` calls it.
    pub name: &'static str,
    pub about: &'static str,
    /// Of its curves in the charts.
    pub color: (u8, u8, u8),
    pub place: Place,
    /// Whether an image's output in training depends on the images around it.
    pub couples: bool,
}

/// What is normalized.
#[derive(Clone, Copy)]
pub enum Place {
    Nothing,
    /// The output of each convolution: the layers for the one with this index.
    Activations(fn(usize) -> Twins),
    /// The weights of each convolution and of the linear layer, which comes last: for this index and starting values.
    Weights(fn(usize, &[f32]) -> Result<Twins, NormError>),
}

/// The same layer twice: on the kernels that normkit generates, and on scalar code.
pub struct Twins {
    pub generated: Box<dyn Generated>,
    pub scalar: Box<dyn Norm>,
}

pub static TECHNIQUES: &[Technique] = &[
    Technique {
        name: "none",
        about: "No normalization",
        color: (110, 110, 110),
        place: Place::Nothing,
        couples: false,
    },
    Technique {
        name: "batch",
        about: "Batch normalization (Ioffe and Szegedy 2015)",
        color: (214, 39, 40),
        place: Place::Activations(|conv| Twins {
            generated: layers::batch::after(conv),
            scalar: scalar::after(conv, Kind::Batch),
        }),
        couples: true,
    },
    Technique {
        name: "rms",
        about: "RMS normalization over each image (Zhang and Sennrich 2019)",
        color: (255, 140, 0),
        place: Place::Activations(|conv| Twins {
            generated: layers::rms::after(conv),
            scalar: scalar::after(conv, Kind::Rms),
        }),
        couples: false,
    },
    Technique {
        name: "layer",
        about: "Layer normalization over the channels of each pixel (Ba, Kiros and Hinton 2016)",
        color: (31, 105, 200),
        place: Place::Activations(|conv| Twins {
            generated: layers::layer::after(conv),
            scalar: scalar::after(conv, Kind::Layer),
        }),
        couples: false,
    },
    Technique {
        name: "instance",
        about: "Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016)",
        color: (23, 165, 165),
        place: Place::Activations(|conv| Twins {
            generated: layers::instance::after(conv),
            scalar: scalar::after(conv, Kind::Instance),
        }),
        couples: false,
    },
    Technique {
        name: "group",
        about: "Group normalization in 4 groups (Wu and He 2018)",
        color: (44, 140, 44),
        place: Place::Activations(|conv| Twins {
            generated: layers::group::after(conv),
            scalar: scalar::after(conv, Kind::Group(4)),
        }),
        couples: false,
    },
    Technique {
        name: "weight",
        about: "Weight normalization (Salimans and Kingma 2016)",
        color: (148, 75, 180),
        place: Place::Weights(|layer, w| {
            Ok(Twins { generated: layers::weight::of(layer, w)?, scalar: scalar::of(layer) })
        }),
        couples: false,
    },
];

/// What the model asks of a normalization layer, of activations or of weights.
///
/// Of weights: they are its own, so `x` is empty; `y` is the normalized weight and `dy` its gradient, `dx` is empty.
pub trait Norm {
    /// For inference.
    fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), NormError>;
    /// For training: may keep what `backward` needs, and may update running statistics.
    fn forward_train(&mut self, x: &[f32], y: &mut [f32]) -> Result<(), NormError>;
    /// Writes `dx`, adds to the gradients of the parameters.
    fn backward(&mut self, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Result<(), NormError>;
    /// In the same order for both twins.
    fn parameters(&mut self) -> Vec<Parameter<'_>>;
    /// Running statistics, in the same order for both twins.
    fn buffers(&mut self) -> Vec<&mut [f32]> {
        Vec::new()
    }
}

pub trait Generated: Norm {
    fn bytes(&self) -> Bytes;
}

#[derive(Clone, Copy, Default, PartialEq)]
pub struct Bytes {
    /// Parameters and running statistics.
    pub parameters: usize,
    /// What the last training step kept for its backward pass.
    pub saved: usize,
}

impl Bytes {
    pub fn sum(self) -> usize {
        self.parameters + self.saved
    }
}
