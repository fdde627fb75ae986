//! The techniques, as data.
//!
//! All are `y = (x - mu) * r * weight + bias`, with `r` one over a root mean square over the normalized axes. The backward pass
//! follows from the same row: `dx = r * (g - mean(g) - xhat * mean(g * xhat))` with `g = dy * weight`, the middle term only where
//! the mean is subtracted.

use super::{Affine, Role};

/// A technique: a row of the table.
#[derive(Debug, PartialEq)]
pub struct Technique {
    /// The name that `kind` takes.
    pub kind: &'static str,
    /// What `axis` names.
    pub axis: AxisKey,
    /// Which channels are normalized together.
    pub groups: Groups,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Whether the divisor is the root of the sum of squares instead of their mean; `x` is then a parameter itself.
    pub of_sum: bool,
    /// Whether there are running statistics, which inference uses.
    pub running: bool,
    /// The parameters by default.
    pub affine: Affine,
    /// The most parameters it may have.
    pub most_affine: Affine,
    /// The default of `eps`; 0 where there is none.
    pub eps: f64,
    /// The keys it takes beside those that all take.
    pub keys: &'static [&'static str],
    /// Other spellings of its name.
    pub also: &'static [&'static str],
    /// What the documentation of a layer says it computes, and after whom.
    pub formula: &'static str,
}

/// What the key `axis` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisKey {
    /// The axes that are normalized over; the last one by default.
    Normalized,
    /// The axis of channels, with its default; all others are normalized over, but the first one where that is kept.
    Channels { default: i128, keeps_first: bool },
}

/// Which channels are normalized together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Each for itself.
    Each,
    /// As many groups as the key `groups` says.
    Key,
}

/// The keys that all take. Each has a page in the facade's `keys.rs`, as have those of some.
pub const KEYS: &[&str] = &["kind", "shape", "axis", "dtype", "param", "affine", "allow", "deny", "explain", "crate"];

const NORMALIZED: Technique = Technique {
    kind: "",
    axis: AxisKey::Normalized,
    groups: Groups::Each,
    centred: true,
    of_sum: false,
    running: false,
    affine: Affine::WeightAndBias,
    most_affine: Affine::WeightAndBias,
    eps: 1e-5,
    keys: &["eps"],
    also: &[],
    formula: "",
};

const CHANNELS: Technique = Technique { axis: AxisKey::Channels { default: 1, keeps_first: true }, ..NORMALIZED };

/// The table.
pub const TECHNIQUES: &[Technique] = &[
    Technique {
        kind: "rms",
        centred: false,
        affine: Affine::Weight,
        most_affine: Affine::Weight,
        eps: 1e-6,
        keys: &["eps", "cast"],
        also: &["rmsnorm", "rms_norm", "rms-norm", "rmsnormalization", "llamarmsnorm", "t5layernorm"],
        formula: "`y = x / sqrt(mean(x^2) + eps) * weight` (Zhang and Sennrich, 2019; semantics of PyTorch's `rms_norm`)",
        ..NORMALIZED
    },
    Technique {
        kind: "layer",
        keys: &["eps", "cast"],
        also: &["layernorm", "layer_norm", "layer-norm", "layernormalization", "ln"],
        formula: "`y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias` (Ba, Kiros and Hinton, 2016; semantics of PyTorch's `layer_norm`)",
        ..NORMALIZED
    },
    Technique {
        kind: "batch",
        axis: AxisKey::Channels { default: 1, keeps_first: false },
        running: true,
        keys: &["eps", "momentum", "running_var"],
        also: &[
            "batchnorm",
            "batch_norm",
            "batch-norm",
            "batchnorm1d",
            "batchnorm2d",
            "batchnorm3d",
            "batchnormalization",
            "syncbatchnorm",
            "bn",
        ],
        formula: "`y = (x - mean) / sqrt(var + eps) * weight + bias`, with the statistics of each channel over the batch in training, and running ones in inference (Ioffe and Szegedy, 2015; semantics of PyTorch's `BatchNorm`)",
        ..CHANNELS
    },
    Technique {
        kind: "group",
        groups: Groups::Key,
        keys: &["eps", "groups"],
        also: &["groupnorm", "group_norm", "group-norm", "groupnormalization", "gn"],
        formula: "`y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias`, with the statistics of each group of channels of each sample (Wu and He, 2018; semantics of PyTorch's `group_norm`)",
        ..CHANNELS
    },
    Technique {
        kind: "instance",
        also: &[
            "instancenorm",
            "instance_norm",
            "instance-norm",
            "instancenorm1d",
            "instancenorm2d",
            "instancenorm3d",
            "instancenormalization",
            "in",
        ],
        formula: "`y = (x - mean(x)) / sqrt(var(x) + eps) * weight + bias`, with the statistics of each channel of each sample (Ulyanov, Vedaldi and Lempitsky, 2016; semantics of PyTorch's `instance_norm`)",
        ..CHANNELS
    },
    Technique {
        kind: "weight",
        axis: AxisKey::Channels { default: 0, keeps_first: false },
        centred: false,
        of_sum: true,
        affine: Affine::Weight,
        most_affine: Affine::Weight,
        eps: 0.0,
        keys: &[],
        also: &["weightnorm", "weight_norm", "weight-norm", "weightnormalization"],
        formula: "`weight = weight_v / norm(weight_v) * weight_g`, with the norm over all axes but one (Salimans and Kingma, 2016; semantics of PyTorch's `weight_norm`). A vector of zeros has no direction: its row becomes NaN, and no other",
        ..CHANNELS
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

    /// The keys it takes.
    pub fn all_keys(&self) -> Vec<&'static str> {
        KEYS[..3].iter().chain(self.keys).chain(&KEYS[3..]).copied().collect()
    }

    /// The keys that any takes, once each.
    pub fn keys_of_any() -> Vec<&'static str> {
        let mut all = KEYS.to_vec();
        for key in TECHNIQUES.iter().flat_map(|technique| technique.keys) {
            if !all.contains(key) {
                all.push(key);
            }
        }
        all
    }

    /// The parameters' names, in the order of arguments, where they are those of `affine`.
    pub fn params(&self, affine: Affine) -> &'static [&'static str] {
        match (self.of_sum, affine) {
            (true, Affine::None) => &["weight_v"],
            (true, _) => &["weight_v", "weight_g"],
            (false, Affine::None) => &[],
            (false, Affine::Weight) => &["weight"],
            (false, Affine::WeightAndBias) => &["weight", "bias"],
        }
    }

    /// The names of what is kept beside the parameters, which no optimizer changes.
    pub fn buffers(&self) -> &'static [&'static str] {
        if self.running { &["running_mean", "running_var"] } else { &[] }
    }

    /// What is done along each axis, where `axis` names these.
    pub fn roles(&self, rank: usize, axes: &[usize]) -> Vec<Role> {
        let role = |axis: usize| match self.axis {
            AxisKey::Normalized if axes.contains(&axis) => Role::Normalized,
            AxisKey::Normalized => Role::Kept,
            AxisKey::Channels { .. } if axes.contains(&axis) => Role::Channel,
            AxisKey::Channels { keeps_first: true, .. } if axis == 0 => Role::Kept,
            AxisKey::Channels { .. } => Role::Normalized,
        };
        (0..rank).map(role).collect()
    }
}
