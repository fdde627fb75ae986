//! The annotated layers: one for each technique and each place in the model.

use normkit::{NormError, NormLayer, Saved, Tensor, normalize};

use crate::model::CONVS;
use crate::optimizer::Parameter;
use crate::technique::{Bytes, Generated, Norm};

/// A layer with what goes with it in training.
struct Held<L, G> {
    norm: L,
    saved: Saved<f32>,
    grads: G,
}

/// How a layer of activations serves as a [`Norm`]. Layers have methods of their own and not those of a trait, as each
/// technique has others: the `forward_train` of batch normalization changes the layer.
macro_rules! activations_norm {
    ($layer:ty, $grads:ty, [$($parameter:ident),*], [$($running:ident),*]) => {
        impl Norm for Held<$layer, $grads> {
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
                vec![$(Parameter { value: &mut self.norm.$parameter, gradient: &mut self.grads.$parameter }),*]
            }

            fn buffers(&mut self) -> Vec<&mut [f32]> {
                vec![$(&mut self.norm.$running),*]
            }
        }
    };
}

/// As above, of weights.
macro_rules! weights_norm {
    ($layer:ty, $grads:ty) => {
        impl Norm for Held<$layer, $grads> {
            fn forward(&self, _: &[f32], w: &mut [f32]) -> Result<(), NormError> {
                self.norm.forward(w)
            }

            fn forward_train(&mut self, _: &[f32], w: &mut [f32]) -> Result<(), NormError> {
                self.norm.forward_train(w, &mut self.saved)
            }

            fn backward(&mut self, _: &[f32], dw: &[f32], _: &mut [f32]) -> Result<(), NormError> {
                self.norm.backward(dw, &self.saved, &mut self.grads)
            }

            fn parameters(&mut self) -> Vec<Parameter<'_>> {
                vec![
                    Parameter { value: &mut self.norm.weight_v, gradient: &mut self.grads.weight_v },
                    Parameter { value: &mut self.norm.weight_g, gradient: &mut self.grads.weight_g },
                ]
            }
        }
    };
}

impl<L: NormLayer, G> Generated for Held<L, G>
where
    Self: Norm,
{
    fn bytes(&self) -> Bytes {
        let size = |(_, tensor): (_, Tensor<'_>)| match tensor {
            Tensor::F32(s) => size_of_val(s),
            Tensor::F64(s) => size_of_val(s),
            Tensor::I64(s) => size_of_val(s),
            _ => 0,
        };
        let saved = [self.saved.mean(), self.saved.residual(), self.saved.rstd(), self.saved.variance()];
        Bytes {
            parameters: self.norm.params().into_iter().chain(self.norm.buffers()).map(size).sum(),
            saved: saved.map(|s| size_of_val(s)).iter().sum(),
        }
    }
}

/// A layer of the given keys for each shape that the convolutions give, and a function that makes the one at a place.
macro_rules! layers {
    ($technique:ident: #[normalize($($key:tt)*)] $parameters:tt $running:tt) => {
        pub mod $technique {
            use super::*;

            #[normalize($($key)*, shape = [_, 16, 8, 8])]
            struct First;
            activations_norm!(First, FirstGrads, $parameters, $running);

            #[normalize($($key)*, shape = [_, 16, 4, 4])]
            struct Second;
            activations_norm!(Second, SecondGrads, $parameters, $running);

            #[normalize($($key)*, shape = [_, 16, 2, 2])]
            struct Middle;
            activations_norm!(Middle, MiddleGrads, $parameters, $running);

            #[normalize($($key)*, shape = [_, 32, 2, 2])]
            struct Last;
            activations_norm!(Last, LastGrads, $parameters, $running);

            /// The layer after this convolution.
            pub fn after(conv: usize) -> Box<dyn Generated> {
                let saved = Saved::default();
                match conv {
                    0 => Box::new(Held { norm: First::new(), saved, grads: FirstGrads::new() }),
                    1 => Box::new(Held { norm: Second::new(), saved, grads: SecondGrads::new() }),
                    2 | 3 => Box::new(Held { norm: Middle::new(), saved, grads: MiddleGrads::new() }),
                    _ => Box::new(Held { norm: Last::new(), saved, grads: LastGrads::new() }),
                }
            }
        }
    };
}

layers!(batch: #[normalize(kind = "batch", momentum = 0.1)] [weight, bias] [running_mean, running_var]);
layers!(instance: #[normalize(kind = "instance")] [weight, bias] []);
layers!(group: #[normalize(kind = "group", groups = 4)] [weight, bias] []);
layers!(layer: #[normalize(kind = "layer", axis = 1)] [weight, bias] []);
layers!(rms: #[normalize(kind = "rms", axis = 1..)] [weight] []);

/// Weight normalization: the weights of a convolution keep a norm for each output channel, the first axis, and those of the
/// linear layer one for each output, the last axis.
pub mod weight {
    use super::*;

    #[normalize(kind = "weight", shape = [16, 1, 3, 3])]
    struct First;
    weights_norm!(First, FirstGrads);

    #[normalize(kind = "weight", shape = [16, 16, 3, 3])]
    struct Middle;
    weights_norm!(Middle, MiddleGrads);

    #[normalize(kind = "weight", shape = [32, 16, 3, 3])]
    struct Last;
    weights_norm!(Last, LastGrads);

    #[normalize(kind = "weight", axis = 1, shape = [128, 10])]
    struct Linear;
    weights_norm!(Linear, LinearGrads);

    const LAST: usize = CONVS.len() - 1;

    /// The layer for this convolution, or for the linear layer that comes after all; starts as `w`.
    pub fn of(layer: usize, w: &[f32]) -> Result<Box<dyn Generated>, NormError> {
        let saved = Saved::default();
        Ok(match layer {
            0 => Box::new(Held { norm: First::from_weight(w)?, saved, grads: FirstGrads::new() }),
            1..LAST => Box::new(Held { norm: Middle::from_weight(w)?, saved, grads: MiddleGrads::new() }),
            LAST => Box::new(Held { norm: Last::from_weight(w)?, saved, grads: LastGrads::new() }),
            _ => Box::new(Held { norm: Linear::from_weight(w)?, saved, grads: LinearGrads::new() }),
        })
    }
}
