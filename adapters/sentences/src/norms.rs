//! Where layer norms come from, and what they take.

use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A library's layer norm.
pub trait Norms {
    /// The layer.
    type Layer: Module;
    /// The library.
    const NAME: &'static str;
    /// The layer of this size.
    ///
    /// # Errors
    /// If its tensors are missing, or of another size.
    fn layer_norm(size: usize, eps: f64, vb: VarBuilder) -> Result<Self::Layer>;
}

/// candle-nn's.
pub struct Candle;

impl Norms for Candle {
    type Layer = candle_nn::LayerNorm;
    const NAME: &'static str = "candle-nn";
    fn layer_norm(size: usize, eps: f64, vb: VarBuilder) -> Result<Self::Layer> {
        candle_nn::layer_norm(size, eps, vb)
    }
}

/// normkit's.
pub struct Normkit;

impl Norms for Normkit {
    type Layer = normkit_candle::LayerNorm;
    const NAME: &'static str = "normkit";
    fn layer_norm(size: usize, eps: f64, vb: VarBuilder) -> Result<Self::Layer> {
        normkit_candle::layer_norm(size, eps, vb)
    }
}

/// Time, summed up over all layers that share it.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// What it shows; it starts again from 0.
    pub fn take(&self) -> Duration {
        Duration::from_nanos(self.0.swap(0, Ordering::Relaxed))
    }
}

/// A layer whose time is taken.
#[derive(Clone, Debug)]
pub struct Timed<L> {
    layer: L,
    clock: Clock,
}

impl<L> Timed<L> {
    /// Adds the time of `layer` to `clock`.
    pub fn new(layer: L, clock: &Clock) -> Self {
        Timed { layer, clock: clock.clone() }
    }
}

impl<L: Module> Module for Timed<L> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let start = Instant::now();
        let y = self.layer.forward(x);
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.clock.0.fetch_add(nanos, Ordering::Relaxed);
        y
    }
}
