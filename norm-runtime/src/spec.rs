//! The description of a kernel that run-time checks work from.

use crate::dtype::Element;

/// What is known of one axis of the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// `_`, or a family with `_` as one of its alternatives.
    Any,
    /// A number.
    Fixed(usize),
    /// A family without `_`.
    OneOf(&'static [usize]),
}

/// What a technique does along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Each index is normalized for itself, with the same parameters.
    Kept,
    /// Each index (or each group of neighbouring ones) is normalized for itself, with parameters of its own.
    Channel,
    /// Normalized over.
    Normalized,
}

/// Which parameters are applied after normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affine {
    /// None.
    None,
    /// A weight.
    Weight,
    /// A weight and a bias.
    WeightAndBias,
}

/// When what half types hold is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cast {
    /// Once, at the end.
    #[default]
    Once,
    /// Also the normalized element, before the weight is applied.
    BeforeWeight,
}

impl Cast {
    /// The normalized element as the parameters are applied to it, in a tensor of `T`.
    #[inline]
    pub(crate) fn apply<T: Element>(self, normalized: T::Compute) -> T::Compute {
        match self {
            Cast::Once => normalized,
            Cast::BeforeWeight => T::narrow(normalized).widen(),
        }
    }
}

/// How running statistics follow those of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// The share of the batch: `running = (1 - momentum) * running + momentum * batch`. `None`: the mean over all batches.
    pub momentum: Option<f64>,
    /// Whether the running variance is of `n - 1` degrees of freedom, as PyTorch's is, or of `n`.
    pub unbiased: bool,
}

/// What a kernel was generated for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// The technique: `"rms"`, `"layer"`.
    pub kind: &'static str,
    /// The shape of `x` and `y`.
    pub shape: &'static [Dim],
    /// What is done along each axis of `shape`.
    ///
    /// Where one is [`Role::Channel`] the parameters extend along it, otherwise along the axes that are normalized over.
    pub roles: &'static [Role],
    /// How many groups of neighbours the channels fall into; `None` where each is normalized for itself.
    pub groups: Option<usize>,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Whether the divisor is the root of the sum of squares, not of their mean.
    pub of_sum: bool,
    /// Which parameters there are.
    pub affine: Affine,
    /// The value in force where `eps` is not given at run time.
    pub eps: f64,
    /// The running statistics, where there are some.
    pub running: Option<Running>,
    /// When what half types hold is rounded.
    pub cast: Cast,
    /// The element type of `x` and `y`: `"f32"`; of a family, all of them: `"f32 | bf16"`.
    pub dtype: &'static str,
    /// The element type of the parameters.
    pub param: &'static str,
}

impl Spec {
    /// How many axes lead that are kept.
    #[must_use]
    pub fn leading(&self) -> usize {
        self.roles.iter().take_while(|role| **role == Role::Kept).count()
    }

    /// Whether the axes that are normalized are the last ones, without a gap, and there are no channels.
    #[must_use]
    pub fn is_over_rows(&self) -> bool {
        self.roles[self.leading()..].iter().all(|role| *role == Role::Normalized)
    }

    /// The axis that channels are on.
    #[must_use]
    pub fn channel_axis(&self) -> Option<usize> {
        self.roles.iter().position(|role| *role == Role::Channel)
    }

    /// The axes that parameters extend along.
    #[must_use]
    pub fn param_role(&self) -> Role {
        if self.channel_axis().is_some() { Role::Channel } else { Role::Normalized }
    }

    /// The sizes along the axes of that role.
    pub(crate) fn dims_of(&self, role: Role) -> impl Iterator<Item = (usize, Dim)> {
        self.shape.iter().zip(self.roles).enumerate().filter(move |(_, (_, r))| **r == role).map(|(i, (d, _))| (i, *d))
    }

    /// How many elements are normalized together, where the shape tells.
    #[must_use]
    pub fn normalized_len(&self) -> Option<usize> {
        let of = |role: Role| {
            self.dims_of(role).try_fold(1, |product, (_, dim)| match dim {
                Dim::Fixed(n) => Some(product * n),
                _ => None,
            })
        };
        match self.groups {
            Some(groups) => Some(of(Role::Normalized)? * of(Role::Channel)? / groups),
            None => of(Role::Normalized),
        }
    }

    /// How many elements a parameter has, where the shape tells.
    #[must_use]
    pub fn param_len(&self) -> Option<usize> {
        self.dims_of(self.param_role()).try_fold(1, |product, (_, dim)| match dim {
            Dim::Fixed(n) => Some(product * n),
            _ => None,
        })
    }
}
