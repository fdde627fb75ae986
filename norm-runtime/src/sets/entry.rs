//! The entry points: checks first, then the passes. Compiled once here, as those of [`rows`](crate::rows).

use super::problem::Problem;
use super::statistics::{self, check_running};
use super::{Fixed, Select, SetArgs};
use super::{backward, fixed, forward};
use crate::dtype::{Compute, Element, bf16, f16, with_each_pair};
use crate::error::NormError;
use crate::level::Level;
use crate::rows::{self, BackwardArgs, ForwardArgs, Kernel, ParamGrads, Params, check_eps, check_len};
use crate::saved::Saved;
use crate::scratch::Memory;
use crate::shape::Operand;
use crate::spec::Spec;
use crate::untyped::{ParamPlaces, TypedArgs, room, select_untyped, widened};
use crate::view::{View, ViewMut};

/// Running statistics to be updated.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are the parameters' names")]
pub struct RunningMut<'a, P> {
    pub mean: &'a mut [P],
    pub var: &'a mut [P],
    pub num_batches_tracked: &'a mut i64,
}

/// The kernels of a pass, by what they are selected by.
#[derive(Debug)]
pub enum Selects<T: Element, P: 'static, Args: 'static> {
    /// One for each of the two sweeps.
    Sweeps([Select<T, P>; 2]),
    /// One for both, where sets are rows.
    Rows(rows::Select<Args>),
}

// Not derived, which would ask for arguments that are copied.
impl<T: Element, P: 'static, Args: 'static> Clone for Selects<T, P, Args> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Element, P: 'static, Args: 'static> Copy for Selects<T, P, Args> {}

/// The kernels of a pass for a problem, at a level.
pub(super) enum PassKernels<T: Element, Args> {
    Sweeps { sums: Kernel<SetArgs<T, ()>>, output: Kernel<SetArgs<T, ()>> },
    Rows(Kernel<Args>),
}

impl<T: Element, P: 'static, Args: TypedArgs> Selects<T, P, Args> {
    /// The same without the type of parameters.
    fn untyped(self) -> Selects<T, (), Args::Untyped> {
        match self {
            Selects::Sweeps([sums, output]) => Selects::Sweeps([select_untyped(sums), select_untyped(output)]),
            Selects::Rows(select) => Selects::Rows(select_untyped(select)),
        }
    }
}

impl<T: Element, Args: 'static> Selects<T, (), Args> {
    fn kernels<const K: usize>(
        self,
        spec: &'static Spec,
        problem: &Problem<K>,
    ) -> Result<PassKernels<T, Args>, NormError> {
        Ok(match self {
            Selects::Sweeps([sums, output]) => {
                PassKernels::Sweeps { sums: kernel(spec, problem, sums)?, output: kernel(spec, problem, output)? }
            }
            Selects::Rows(select) => PassKernels::Rows(kernel(spec, problem, select)?),
        })
    }
}

/// The parameters of a call: their values, and where kernels find them.
#[derive(Clone, Copy)]
struct Given<'a, A> {
    values: Params<'a, A>,
    places: ParamPlaces<'a>,
}

/// Kernels over sets of elements of this type, with parameters of type `P`.
///
/// # Safety
/// For all functions: each kernel that a `Select` gives keeps to the contract of [`SetArgs`], [`ForwardArgs`] or [`BackwardArgs`] for
/// what it was selected by, with the parameters of `spec`, on a machine with its level's instruction set; of rows, each set is one.
pub trait Entry<P: Element<Compute = Self::Compute>>: Element {
    /// Normalizes `x` into `y`, with the kernels for sums and for output; with `saved`, keeps the statistics there, and lets
    /// `running` follow them.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait.
    #[allow(clippy::too_many_arguments, reason = "a forward pass has that many")]
    unsafe fn forward(
        spec: &'static Spec,
        select: Selects<Self, P, ForwardArgs<Self, P>>,
        x: View<'_, Self>,
        params: Params<'_, P>,
        eps: Self::Compute,
        y: ViewMut<'_, Self>,
        saved: Option<&mut Saved<Self::Compute>>,
        running: Option<RunningMut<'_, P>>,
    ) -> Result<(), NormError>;

    /// Normalizes `x` in place.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn forward_inplace(
        spec: &'static Spec,
        select: Selects<Self, P, ForwardArgs<Self, P>>,
        x: ViewMut<'_, Self>,
        params: Params<'_, P>,
        eps: Self::Compute,
    ) -> Result<(), NormError>;

    /// Writes the gradient of `x` into `dx` and adds the gradients of the parameters to `grads`, with the kernels for sums of
    /// gradients and for the gradient.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait; `x` is no parameter.
    #[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
    unsafe fn backward(
        spec: &'static Spec,
        select: Selects<Self, P, BackwardArgs<Self, P>>,
        x: View<'_, Self>,
        dy: View<'_, Self>,
        params: Params<'_, P>,
        saved: &Saved<Self::Compute>,
        dx: ViewMut<'_, Self>,
        grads: ParamGrads<'_, Self::Compute>,
    ) -> Result<(), NormError>;

    /// As [`Entry::backward`], where `x` is a parameter itself: its gradient is of the type that is computed in, and added to.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait.
    #[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
    unsafe fn backward_of_param(
        spec: &'static Spec,
        select: Selects<Self, P, BackwardArgs<Self, P>>,
        x: View<'_, Self>,
        dy: View<'_, Self>,
        params: Params<'_, P>,
        saved: &Saved<Self::Compute>,
        dx: ViewMut<'_, Self::Compute>,
        grads: ParamGrads<'_, Self::Compute>,
    ) -> Result<(), NormError>;

    /// Normalizes `x` into `y` with statistics that are given, with the kernel for output.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait.
    #[allow(clippy::too_many_arguments, reason = "a forward pass has that many")]
    unsafe fn infer(
        spec: &'static Spec,
        select: Select<Self, P>,
        x: View<'_, Self>,
        fixed: Fixed<'_, P>,
        params: Params<'_, P>,
        eps: Self::Compute,
        y: ViewMut<'_, Self>,
    ) -> Result<(), NormError>;

    /// As [`Entry::infer`], in place.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn infer_inplace(
        spec: &'static Spec,
        select: Select<Self, P>,
        x: ViewMut<'_, Self>,
        fixed: Fixed<'_, P>,
        params: Params<'_, P>,
        eps: Self::Compute,
    ) -> Result<(), NormError>;

    /// The gradients of [`Entry::infer`], with the kernels for sums of gradients and for output.
    ///
    /// # Errors
    /// See [`NormError`]; nothing has been written then.
    ///
    /// # Safety
    /// See the trait.
    #[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
    unsafe fn backward_frozen(
        spec: &'static Spec,
        select: [Select<Self, P>; 2],
        x: View<'_, Self>,
        dy: View<'_, Self>,
        fixed: Fixed<'_, P>,
        params: Params<'_, P>,
        eps: Self::Compute,
        dx: ViewMut<'_, Self>,
        grads: ParamGrads<'_, Self::Compute>,
    ) -> Result<(), NormError>;
}

/// The names of arguments, which are those of the methods.
struct Names {
    x: &'static str,
    y: &'static str,
    dy: &'static str,
    dx: &'static str,
    weight: &'static str,
    dweight: &'static str,
}

const NAMES: Names = Names { x: "x", y: "y", dy: "dy", dx: "dx", weight: "weight", dweight: "dweight" };
/// Where `x` is a parameter itself.
const NAMES_OF_WEIGHT: Names =
    Names { x: "weight_v", y: "weight", dy: "dweight", dx: "dweight_v", weight: "weight_g", dweight: "dweight_g" };

fn names(spec: &Spec) -> &'static Names {
    if spec.of_sum { &NAMES_OF_WEIGHT } else { &NAMES }
}

fn known_len(spec: &Spec, places: ParamPlaces<'_>) -> Option<(&'static str, usize)> {
    places.len().map(|len| (names(spec).weight, len))
}

fn check_grads<A, const K: usize>(
    spec: &Spec,
    problem: &Problem<K>,
    grads: &ParamGrads<'_, A>,
) -> Result<(), NormError> {
    check_len(names(spec).dweight, grads.weight.as_deref(), problem.params())?;
    check_len("dbias", grads.bias.as_deref(), problem.params())
}

fn check_fixed<A: Compute>(fixed: &Fixed<'_, A>, channels: usize) -> Result<(), NormError> {
    check_running(channels, fixed.mean.len(), fixed.var.len())?;
    match fixed.var.iter().map(|var| var.to_f64()).enumerate().find(|(_, var)| *var < 0.0) {
        Some((index, found)) => Err(NormError::RunningVar { index, found }),
        None => Ok(()),
    }
}

/// The kernel for the problem at the current level.
fn kernel<Args: 'static, const K: usize>(
    spec: &'static Spec,
    problem: &Problem<K>,
    select: rows::Select<Args>,
) -> Result<Kernel<Args>, NormError> {
    let by = problem.selected_by();
    // Not reached: dims have been checked against the shape, and there are elements.
    let none = NormError::Length { arg: names(spec).x, expected: 0, found: by };
    Ok(select(by).ok_or(none)?.at(Level::current()?))
}

/// How many statistics a call keeps. One without elements has no sets, but where there are running statistics as many as channels,
/// if something as long backs them: dims alone would allocate anything.
fn statistics_kept<const K: usize>(spec: &Spec, problem: &Problem<K>, backed: Option<usize>) -> usize {
    match problem.total {
        0 if spec.running.is_none() => 0,
        0 if backed.or(spec.param_len()) != Some(problem.sets) => 0,
        _ => problem.statistics(),
    }
}

/// A channel of one element has no variance: in training that is an error, as in PyTorch.
fn check_count<const K: usize>(spec: &Spec, problem: &Problem<K>) -> Result<(), NormError> {
    if spec.running.is_some() && problem.total != 0 && problem.count() == 1 {
        return Err(NormError::OneValuePerChannel { arg: names(spec).x });
    }
    Ok(())
}

/// # Safety
/// As for [`Entry::forward`]; the operands are at `x` and `y`, which are the same or do not overlap. `running` are the lengths of running
/// statistics.
#[allow(clippy::too_many_arguments, reason = "one call for the passes that take statistics")]
unsafe fn forward<T: Element>(
    spec: &'static Spec,
    select: Selects<T, (), ForwardArgs<T, ()>>,
    operands: [Operand<'_>; 2],
    (x, y): (*const T, *mut T),
    Given { values: params, places }: Given<'_, T::Compute>,
    eps: T::Compute,
    mut saved: Option<&mut Saved<T::Compute>>,
    running: Option<[usize; 2]>,
) -> Result<(), NormError> {
    let mut problem = Problem::NONE;
    problem.lay_out(spec, &operands, known_len(spec, places))?;
    let problem = &problem;
    places.check(names(spec).weight, problem.params())?;
    check_eps(eps)?;
    check_count(spec, problem)?;
    if let Some([mean, var]) = running {
        check_running(problem.sets, mean, var)?;
    }
    if problem.total != 0 {
        let kernels = select.kernels(spec, problem)?;
        if let Some(saved) = saved.as_deref_mut() {
            saved.resize_sets(problem.statistics(), problem.count(), spec);
        }
        let pass = forward::Forward { spec, problem, kernels, x, y, params, places, eps };
        // SAFETY: everything has been checked; the caller answers for the kernels.
        unsafe { pass.run(saved.as_deref_mut()) };
    } else if let Some(saved) = saved {
        let backed = places.len().or(running.map(|[mean, _]| mean));
        saved.clear();
        saved.resize_sets(statistics_kept(spec, problem, backed), 0, spec);
    }
    Ok(())
}

/// # Safety
/// As for [`Entry::backward`] or, where the description is of a weight, [`Entry::backward_of_param`]; the operands are at these places.
unsafe fn backward<T: Element>(
    spec: &'static Spec,
    select: Selects<T, (), BackwardArgs<T, ()>>,
    operands: [Operand<'_>; 3],
    (x, dy, dx): (*const T, *const T, *mut T),
    Given { values: params, places }: Given<'_, T::Compute>,
    saved: &Saved<T::Compute>,
    grads: ParamGrads<'_, T::Compute>,
) -> Result<(), NormError> {
    let mut problem = Problem::NONE;
    problem.lay_out(spec, &operands, known_len(spec, places))?;
    let problem = &problem;
    places.check(names(spec).weight, problem.params())?;
    check_grads(spec, problem, &grads)?;
    if problem.total == 0 {
        return Ok(());
    }
    check_len("saved", Some(saved.rstd()), problem.statistics())?;
    if spec.centred {
        check_len("saved", Some(saved.mean()), problem.statistics())?;
    }
    let kernels = select.kernels(spec, problem)?;
    let pass = backward::Backward { spec, problem, kernels, x, dy, dx, params, places, saved };
    // SAFETY: everything has been checked; the caller answers for the kernels.
    unsafe { pass.run(grads) };
    Ok(())
}

/// # Safety
/// As for [`Entry::infer`]; the operands are at `memory`, which are the same or do not overlap.
unsafe fn infer<T: Element>(
    spec: &'static Spec,
    select: Select<T, ()>,
    operands: [Operand<'_>; 2],
    memory: (*const T, *mut T),
    fixed: Fixed<'_, T::Compute>,
    Given { values: params, places }: Given<'_, T::Compute>,
    eps: T::Compute,
) -> Result<(), NormError> {
    let mut problem = Problem::NONE;
    problem.lay_out(spec, &operands, Some(("running_mean", fixed.mean.len())))?;
    let problem = &problem;
    places.check(names(spec).weight, problem.params())?;
    check_fixed(&fixed, problem.sets)?;
    check_eps(eps)?;
    if problem.total != 0 {
        let kernel = kernel(spec, problem, select)?;
        // SAFETY: everything has been checked; the caller answers for the kernel.
        unsafe { fixed::forward(problem, kernel, memory, fixed, params, eps) };
    }
    Ok(())
}

/// # Safety
/// As for [`Entry::backward_frozen`]; the operands are at these places.
#[allow(clippy::too_many_arguments, reason = "a backward pass has that many")]
unsafe fn backward_frozen<T: Element>(
    spec: &'static Spec,
    select: [Select<T, ()>; 2],
    operands: [Operand<'_>; 3],
    (x, dy, dx): (*const T, *const T, *mut T),
    fixed: Fixed<'_, T::Compute>,
    Given { values: params, places }: Given<'_, T::Compute>,
    eps: T::Compute,
    grads: ParamGrads<'_, T::Compute>,
) -> Result<(), NormError> {
    let mut problem = Problem::NONE;
    problem.lay_out(spec, &operands, Some(("running_mean", fixed.mean.len())))?;
    let problem = &problem;
    places.check(names(spec).weight, problem.params())?;
    check_grads(spec, problem, &grads)?;
    check_fixed(&fixed, problem.sets)?;
    check_eps(eps)?;
    if problem.total != 0 {
        let [sums, output] = [kernel(spec, problem, select[0])?, kernel(spec, problem, select[1])?];
        let pass = fixed::Backward { problem, sums, output, x, dy, dx, fixed, params, eps };
        // SAFETY: everything has been checked; the caller answers for the kernels.
        unsafe { pass.run(grads) };
    }
    Ok(())
}

/// Parameters as they were given, and statistics that were. (Also such as checks will refuse: they are there, whatever their length.)
fn given<'a, P: Element>(
    params: Params<'a, P>,
    fixed: Fixed<'a, P>,
    memory: &'a mut Memory,
) -> (Given<'a, P::Compute>, Fixed<'a, P::Compute>) {
    let (Params { weight, bias }, Fixed { mean, var }) = (params, fixed);
    let room = room(weight) + room(bias) + room(Some(mean)) + room(Some(var));
    let mut memory = if room == 0 { &mut [] } else { memory.elements(room) };
    let mut widen = |values| widened(values, &mut memory);
    let values = Params { weight: widen(weight), bias: widen(bias) };
    let fixed = Fixed { mean: widen(Some(mean)).unwrap_or_default(), var: widen(Some(var)).unwrap_or_default() };
    (Given { values, places: ParamPlaces::of(&params) }, fixed)
}

fn operands<'a, T>(spec: &Spec, x: &'a View<'_, T>, y: &'a ViewMut<'_, T>) -> [Operand<'a>; 2] {
    let names = names(spec);
    [Operand::new(names.x, x.data.len(), &x.layout), Operand::new(names.y, y.data.len(), &y.layout)]
}

fn operands_inplace<'a, T>(spec: &Spec, x: &'a ViewMut<'_, T>) -> [Operand<'a>; 2] {
    [Operand::new(names(spec).x, x.data.len(), &x.layout); 2]
}

fn operands_backward<'a, T, D>(
    spec: &Spec,
    x: &'a View<'_, T>,
    dy: &'a View<'_, T>,
    dx: &'a ViewMut<'_, D>,
) -> [Operand<'a>; 3] {
    let names = names(spec);
    [
        Operand::new(names.x, x.data.len(), &x.layout),
        Operand::new(names.dy, dy.data.len(), &dy.layout),
        Operand::new(names.dx, dx.data.len(), &dx.layout),
    ]
}

macro_rules! entries {
    ($($t:ident with $p:ident),*) => { $(
        impl Entry<$p> for $t {
            unsafe fn forward(
                spec: &'static Spec,
                select: Selects<Self, $p, ForwardArgs<Self, $p>>,
                x: View<'_, Self>,
                params: Params<'_, $p>,
                eps: Self::Compute,
                y: ViewMut<'_, Self>,
                mut saved: Option<&mut Saved<Self::Compute>>,
                running: Option<RunningMut<'_, $p>>,
            ) -> Result<(), NormError> {
                let lens = running.as_ref().map(|running| [running.mean.len(), running.var.len()]);
                let mut memory = Memory::default();
                let (params, _) = given(params, Fixed::NONE, &mut memory);
                // SAFETY: the caller's contract; the operands are these two views.
                unsafe {
                    let at = (x.data.as_ptr(), y.data.as_mut_ptr());
                    let kept = saved.as_deref_mut();
                    forward(spec, select.untyped(), operands(spec, &x, &y), at, params, eps, kept, lens)
                }?;
                match (saved, running) {
                    (Some(saved), Some(RunningMut { mean, var, num_batches_tracked })) => {
                        statistics::update_running(spec, saved, mean, var, num_batches_tracked)
                    }
                    _ => Ok(()),
                }
            }

            unsafe fn forward_inplace(
                spec: &'static Spec,
                select: Selects<Self, $p, ForwardArgs<Self, $p>>,
                x: ViewMut<'_, Self>,
                params: Params<'_, $p>,
                eps: Self::Compute,
            ) -> Result<(), NormError> {
                let data = x.data.as_mut_ptr();
                let mut memory = Memory::default();
                let (params, _) = given(params, Fixed::NONE, &mut memory);
                // SAFETY: the caller's contract; both operands are this view.
                unsafe {
                    let operands = operands_inplace(spec, &x);
                    forward(spec, select.untyped(), operands, (data, data), params, eps, None, None)
                }
            }

            unsafe fn backward(
                spec: &'static Spec,
                select: Selects<Self, $p, BackwardArgs<Self, $p>>,
                x: View<'_, Self>,
                dy: View<'_, Self>,
                params: Params<'_, $p>,
                saved: &Saved<Self::Compute>,
                dx: ViewMut<'_, Self>,
                grads: ParamGrads<'_, Self::Compute>,
            ) -> Result<(), NormError> {
                let at = (x.data.as_ptr(), dy.data.as_ptr(), dx.data.as_mut_ptr());
                let mut memory = Memory::default();
                let (params, _) = given(params, Fixed::NONE, &mut memory);
                // SAFETY: the caller's contract; the operands are these three views.
                unsafe {
                    let operands = operands_backward(spec, &x, &dy, &dx);
                    backward(spec, select.untyped(), operands, at, params, saved, grads)
                }
            }

            unsafe fn backward_of_param(
                spec: &'static Spec,
                select: Selects<Self, $p, BackwardArgs<Self, $p>>,
                x: View<'_, Self>,
                dy: View<'_, Self>,
                params: Params<'_, $p>,
                saved: &Saved<Self::Compute>,
                dx: ViewMut<'_, Self::Compute>,
                grads: ParamGrads<'_, Self::Compute>,
            ) -> Result<(), NormError> {
                let at = (x.data.as_ptr(), dy.data.as_ptr(), dx.data.as_mut_ptr().cast());
                let mut memory = Memory::default();
                let (params, _) = given(params, Fixed::NONE, &mut memory);
                // SAFETY: the caller's contract; the operands are these three views.
                unsafe {
                    let operands = operands_backward(spec, &x, &dy, &dx);
                    backward(spec, select.untyped(), operands, at, params, saved, grads)
                }
            }

            unsafe fn infer(
                spec: &'static Spec,
                select: Select<Self, $p>,
                x: View<'_, Self>,
                fixed: Fixed<'_, $p>,
                params: Params<'_, $p>,
                eps: Self::Compute,
                y: ViewMut<'_, Self>,
            ) -> Result<(), NormError> {
                let at = (x.data.as_ptr(), y.data.as_mut_ptr());
                let mut memory = Memory::default();
                let (params, fixed) = given(params, fixed, &mut memory);
                // SAFETY: the caller's contract; the operands are these two views.
                unsafe {
                    infer(spec, select_untyped(select), operands(spec, &x, &y), at, fixed, params, eps)
                }
            }

            unsafe fn infer_inplace(
                spec: &'static Spec,
                select: Select<Self, $p>,
                x: ViewMut<'_, Self>,
                fixed: Fixed<'_, $p>,
                params: Params<'_, $p>,
                eps: Self::Compute,
            ) -> Result<(), NormError> {
                let data = x.data.as_mut_ptr();
                let mut memory = Memory::default();
                let (params, fixed) = given(params, fixed, &mut memory);
                // SAFETY: the caller's contract; both operands are this view.
                unsafe {
                    infer(spec, select_untyped(select), operands_inplace(spec, &x), (data, data), fixed, params, eps)
                }
            }

            unsafe fn backward_frozen(
                spec: &'static Spec,
                select: [Select<Self, $p>; 2],
                x: View<'_, Self>,
                dy: View<'_, Self>,
                fixed: Fixed<'_, $p>,
                params: Params<'_, $p>,
                eps: Self::Compute,
                dx: ViewMut<'_, Self>,
                grads: ParamGrads<'_, Self::Compute>,
            ) -> Result<(), NormError> {
                let at = (x.data.as_ptr(), dy.data.as_ptr(), dx.data.as_mut_ptr());
                let mut memory = Memory::default();
                let (params, fixed) = given(params, fixed, &mut memory);
                // SAFETY: the caller's contract; the operands are these three views.
                unsafe {
                    let operands = operands_backward(spec, &x, &dy, &dx);
                    backward_frozen(spec, select.map(select_untyped), operands, at, fixed, params, eps, grads)
                }
            }
        }
    )* };
}

with_each_pair!(entries);
