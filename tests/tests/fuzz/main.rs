//! Whatever a caller says of whatever tensors: a method returns `Ok` or an error, without a panic; it writes nothing but the elements
//! of the view, and nothing at all where it returns an error.
//!
//! `PROPTEST_CASES` sets the number of random calls at each level.

#[path = "../random/mod.rs"]
mod random;

mod describe;
mod layers;

use core::cell::Cell;
use describe::{Buffer, Tensor, tensor};
use normkit::{Compute, Element, NormError, Saved, bf16};
use normkit_tests::sound::{Arguments, Follow, Grads, Keep, Subject, Visit, singles};
use normkit_tests::{Numbers, past_caches, sound_open};
use proptest::prelude::*;
use random::for_all;

/// Sizes of axes that products of two or three of overflow.
const HUGE: [usize; 7] = [1 << 20, 1 << 31, 1 << 32, 1 << 33, 1 << 61, isize::MAX as usize, usize::MAX];

/// Boxed, as all of these are: their trees would not fit the stack.
fn size() -> BoxedStrategy<usize> {
    prop_oneof![
        12 => 1..10_usize,
        4 => 0..70_usize,
        2 => 70..300_usize,
        1 => prop::sample::select(&HUGE[..]),
        1 => Just(0),
    ]
    .boxed()
}

/// A call of all methods.
#[derive(Clone, Debug)]
struct Case {
    /// Which of the kernels, by its place among as many as there are.
    kernel: usize,
    /// As many as the kernel takes.
    dims: [usize; 3],
    /// x, y, dy and dx.
    tensors: [Tensor; 4],
    /// Added to the lengths of weight, bias, mean, variance, and the gradients of the first two.
    params: [isize; 6],
    /// What `saved` comes from: 0 nothing, 1 a batch of one more; else the batch itself.
    saved: u8,
    eps: f64,
    /// Of the elements: 0 all sorts of them, else about 1.
    values: u8,
    /// Whether stores go past the caches, as those to larger tensors do.
    far: bool,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let off =
        || prop_oneof![40 => Just(0_isize), 1 => Just(1), 1 => Just(-1), 1 => Just(-1000), 1 => -20..20_isize].boxed();
    let eps = prop_oneof![
        8 => Just(1e-5),
        4 => prop::sample::select(&[0.0, -0.0, 1e-42, 1e30, -1e-9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY][..]),
    ];
    let params: [_; 6] = core::array::from_fn(|_| off());
    let tensors: [_; 4] = core::array::from_fn(|_| tensor());
    let dims: [_; 3] = core::array::from_fn(|_| size());
    (any::<usize>(), dims, tensors, params, 0..6_u8, eps, (0..3_u8, any::<bool>()), any::<u64>()).prop_map(
        |(kernel, dims, tensors, params, saved, eps, (values, far), seed)| Case {
            kernel,
            dims,
            tensors,
            params,
            saved,
            eps,
            values,
            far,
            seed,
        },
    )
}

/// What elements are made of.
struct Elements {
    numbers: Numbers,
    extreme: bool,
}

impl Elements {
    fn next<T: Element>(&mut self) -> T {
        const EXTREMES: [f64; 16] = [
            0.0,
            -0.0,
            1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            5e-324,
            1e-310,
            1e-42,
            1e-25,
            1e20,
            -3e38,
            65504.0,
            1.0,
        ];
        let unit = self.numbers.next_unit();
        let value = if self.extreme { EXTREMES[(unit.abs() * 16.0) as usize % 16] } else { unit };
        T::narrow(T::Compute::from_f64(value))
    }

    fn vec<T: Element>(&mut self, len: usize) -> Vec<T> {
        (0..len).map(|_| self.next()).collect()
    }
}

/// Runs the case on one of all kernels.
struct Run<'a> {
    case: &'a Case,
    /// How many kernels there are yet to come before it.
    before: usize,
    accepted: &'a Cell<usize>,
}

/// How many kernels there are.
struct Count(usize);

impl Visit for Count {
    fn visit<T: Element, P: Element, D: Element>(&mut self, _: &Subject<T, P, D>) {
        self.0 += 1;
    }
}

impl Visit for Run<'_> {
    fn visit<T, P, D>(&mut self, subject: &Subject<T, P, D>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>,
    {
        if self.before == 0 {
            let call = || call_all(subject, self.case);
            let accepted = if self.case.far { past_caches(call) } else { call() };
            self.accepted.set(self.accepted.get() + accepted);
        }
        self.before = self.before.wrapping_sub(1);
    }
}

/// The elements of a parameter for these dims, as near to it as memory allows.
fn param_len(roles: &[normkit::Role], dims: &[usize]) -> usize {
    let channels = roles.contains(&normkit::Role::Channel);
    let role = if channels { normkit::Role::Channel } else { normkit::Role::Normalized };
    let mut along = roles.iter().zip(dims).filter(|(r, _)| **r == role).map(|(_, dim)| *dim);
    along.try_fold(1_usize, usize::checked_mul).filter(|len| *len <= describe::MOST).unwrap_or(5)
}

/// All methods; how many of them were accepted.
fn call_all<T, P, D>(subject: &Subject<T, P, D>, case: &Case) -> usize
where
    T: Element,
    P: Element<Compute = T::Compute>,
    D: Element<Compute = T::Compute>,
{
    let spec = subject.spec;
    let dims = &case.dims[..spec.shape.len()];
    let mut elements = Elements { numbers: Numbers(case.seed), extreme: case.values == 0 };
    let param_len = param_len(spec.roles, dims);
    let len = |which: usize| param_len.saturating_add_signed(case.params[which]);
    let [weight, bias, mean]: [Vec<P>; 3] = core::array::from_fn(|which| elements.vec(len(which)));
    let var: Vec<P> = elements.vec(len(3));
    // Most variances are none that are refused.
    let var: Vec<P> = if case.values == 0 { var } else { var.iter().map(|v| P::narrow(v.widen().abs())).collect() };
    let args = Arguments { weight: &weight, bias: &bias, mean: &mean, var: &var, eps: T::Compute::from_f64(case.eps) };
    let [tx, ty, tdy, tdx] = &case.tensors;
    let mut of = |tensor: &Tensor| Buffer::<T>::new(tensor, spec, dims, |len| elements.vec(len));
    let (x, dy, mut y, mut z) = (of(tx), of(tdy), of(ty), of(tx));
    let mut dx = Buffer::<D>::new(tdx, spec, dims, |len| elements.vec(len));
    let mut accepted = 0;
    let mut judge = |what: &str, outcome: Result<(), NormError>, intact: bool| {
        accepted += usize::from(outcome.is_ok());
        assert!(intact, "{what} of {} of {}: {outcome:?}, and something else was written", subject.name, subject.types);
    };
    let outcome = (subject.forward)(x.view(), args, y.view_mut());
    judge("forward", outcome, y.is_intact(outcome));
    let outcome = (subject.inplace)(z.view_mut(), args);
    judge("forward_inplace", outcome, z.is_intact(outcome));
    // What there is from an earlier call has to stay where one is refused.
    let mut saved = earlier(subject, case, &mut Elements { numbers: Numbers(1), extreme: false });
    let before = format!("{saved:?}");
    y.renew();
    let outcome = (subject.train)(x.view(), args, y.view_mut(), &mut saved);
    judge("forward_train", outcome, y.is_intact(outcome) && (outcome.is_ok() || before == format!("{saved:?}")));
    if case.saved < 2 {
        saved = earlier(subject, case, &mut Elements { numbers: Numbers(1), extreme: false });
    }
    let grads_len = [len(4), len(5)];
    let mut grads: [Vec<T::Compute>; 2] = grads_len.map(|len| vec![T::Compute::default(); len]);
    // Errors leave gradients as they are, which is 0.
    let kept = |grads: &[Vec<T::Compute>; 2], outcome: Result<(), NormError>| {
        outcome.is_ok() || grads.iter().flatten().all(|v| *v == T::Compute::default())
    };
    let [weight, bias] = &mut grads;
    let outcome = (subject.backward)(x.view(), dy.view(), args, &saved, dx.view_mut(), Grads { weight, bias });
    judge("backward", outcome, dx.is_intact(outcome) && kept(&grads, outcome));
    if let Some(running) = &subject.running {
        let mut grads: [Vec<T::Compute>; 2] = grads_len.map(|len| vec![T::Compute::default(); len]);
        let [weight, bias] = &mut grads;
        y.renew();
        let outcome = (running.frozen)(x.view(), dy.view(), args, y.view_mut(), Grads { weight, bias });
        judge("backward_frozen", outcome, y.is_intact(outcome) && kept(&grads, outcome));
        let (mut mean, mut var, mut tracked) = (mean.clone(), var.clone(), i64::MAX - 1);
        let before = format!("{mean:?} {var:?}");
        let follow = Follow { mean: &mut mean, var: &mut var, tracked: &mut tracked };
        let outcome = (running.update)(&saved, follow);
        let same = tracked == i64::MAX - 1 && before == format!("{mean:?} {var:?}");
        judge("update_running", outcome, outcome.is_ok() || same);
    }
    accepted
}

/// The statistics of a call before this one: of none, of a batch of one more, or of other numbers of the same shape.
fn earlier<T, P, D>(subject: &Subject<T, P, D>, case: &Case, elements: &mut Elements) -> Saved<T::Compute>
where
    T: Element,
    P: Element<Compute = T::Compute>,
    D: Element<Compute = T::Compute>,
{
    let mut saved = Saved::default();
    let mut dims = case.dims[..subject.spec.shape.len()].to_vec();
    dims[0] = dims[0].saturating_add(usize::from(case.saved == 1));
    let len = dims.iter().try_fold(1_usize, |len, dim| len.checked_mul(*dim)).filter(|len| *len <= describe::MOST);
    if let (Some(len), 1..) = (len, case.saved) {
        let params: Vec<P> = elements.vec(param_len(subject.spec.roles, &dims));
        let (x, mut y): (Vec<T>, Vec<T>) = (elements.vec(len), elements.vec(len));
        let eps = T::Compute::from_f64(1e-5);
        let args = Arguments { weight: &params, bias: &params, mean: &params, var: &params, eps };
        let (x, y) = (normkit_tests::described(&x, &dims, None), normkit_tests::described_mut(&mut y, &dims, None));
        // Refused where there is one value for each channel; then nothing is saved.
        let _ = (subject.train)(x, args, y, &mut saved);
    }
    saved
}

#[test]
fn any_call() {
    let mut all = singles();
    sound_open!(all, bf16, bf16);
    let mut count = Count(0);
    all.each(&mut count);
    let accepted = Cell::new(0);
    for_all("any call", 3000, &case(), |case| {
        all.each(&mut Run { case: &case, before: case.kernel % count.0, accepted: &accepted });
    });
    println!("{} calls were accepted", accepted.get());
    assert!(accepted.get() > 0, "a test of nothing but errors");
}
