//! The techniques, as data.
//!
//! All are `y = (x - mu) * r * weight + bias`, with `r` one over a root mean square over the normalized axes. The backward pass
//! follows from the same row: `dx = r * (g - mean(g) - xhat * mean(g * xhat))` with `g = dy * weight`, the middle term only where
//! the mean is subtracted.

use super::Affine;

/// A technique: a row of the table.
#[derive(Debug, PartialEq)]
pub struct Technique {
    /// The name that `kind` takes.
    pub kind: &'static str,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// The parameters by default.
    pub affine: Affine,
    /// The most parameters it may have.
    pub most_affine: Affine,
    /// The default of `eps`.
    pub eps: f64,
    /// The keys it takes.
    pub keys: &'static [&'static str],
    /// Other spellings of its name.
    pub also: &'static [&'static str],
    /// What the documentation of a layer says it computes, and after whom.
    pub formula: &'static str,
}

const KEYS: &[&str] = &["kind", "shape", "axis", "eps", "dtype", "param", "affine", "allow", "crate"];

/// The table.
pub const TECHNIQUES: &[Technique] = &[
    Technique {
        kind: "rms",
        centred: false,
        affine: Affine::Weight,
        most_affine: Affine::Weight,
        eps: 1e-6,
        keys: KEYS,
        also: &["rmsnorm", "rms_norm", "rms-norm"],
        formula: "`y = x / sqrt(mean(x^2) + eps) * weight` (Zhang and Sennrich, 2019; semantics of PyTorch's `rms_norm`)",
    },
    Technique {
        kind: "layer",
        centred: true,
        affine: Affine::WeightAndBias,
        most_affine: Affine::WeightAndBias,
        eps: 1e-5,
        keys: KEYS,
        also: &["layernorm", "layer_norm", "layer-norm", "ln"],
        formula: "`y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias` (Ba, Kiros and Hinton, 2016; semantics of PyTorch's `layer_norm`)",
    },
];

impl Technique {
    /// The technique of that name.
    pub fn of_kind(kind: &str) -> Option<&'static Technique> {
        TECHNIQUES.iter().find(|technique| technique.kind == kind)
    }

    /// The technique that this is another spelling of.
    pub fn spelled(kind: &str) -> Option<&'static Technique> {
        let lower = kind.to_lowercase();
        TECHNIQUES.iter().find(|technique| technique.kind == lower || technique.also.contains(&lower.as_str()))
    }

    /// All names, for messages.
    pub fn names() -> String {
        TECHNIQUES.iter().map(|t| format!("\"{}\"", t.kind)).collect::<Vec<_>>().join(", ")
    }
}
