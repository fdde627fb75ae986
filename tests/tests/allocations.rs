//! Calls after the first of their size ask for no memory: of any kind, direction, layout and type, nor do those that are refused.

use core::cell::Cell;
use normkit::{Compute, Dim, Element, NormError, Saved, Spec, bf16, f16, normalize};
use normkit_tests::sound::{
    Arguments, Follow, Grads, Keep, Subject, Subjects, Visit, param_len, reach, singles, strides,
};
use normkit_tests::{
    Outcome, at_each_level_of_halves, described, described_mut, element, past_caches, sound_batch, sound_open,
    sound_open_beside, sound_plain, sound_weight,
};
use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which counts what each thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// At the end of a thread there may be no count any more.
fn count() {
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: all calls go on to the system's allocator as they are; what is done beside allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the same.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` asks for memory.
fn asks(work: impl FnOnce()) -> usize {
    let before = ASKED.get();
    work();
    ASKED.get() - before
}

fn kernels() -> Subjects {
    let mut all = singles();
    sound_open!(all, f16 | bf16, f32);
    sound_open_beside!(all, bf16, bf16);
    sound_open!(all, f64, f64);
    sound_plain!(all, f32 | bf16, f32, [weight] [weight] [weight]; kind = "rms", shape = [_, 64 | 100 | 768]);
    sound_plain!(all, f32 | f16, f32, [weight bias] [weight] [weight bias]; kind = "layer", shape = [_, 20 | 768]);
    sound_plain!(
        all, f16 | bf16, bf16, [weight bias] [weight] [weight bias];
        kind = "layer", shape = [_, 300], cast = before_weight
    );
    sound_batch!(all, f32, f32, [weight bias] [weight] [] [weight bias]; shape = [_, 3, 49 | 300]);
    sound_batch!(all, f32 | bf16, f32, [weight bias] [weight] [] [weight bias]; shape = [_, _, 64 | 100], axis = -1);
    sound_plain!(all, f32, f32, [weight bias] [weight] [weight bias]; kind = "instance", shape = [_, 3, 784]);
    sound_plain!(all, f32, f32, [weight bias] [weight] [weight bias]; kind = "layer", shape = [_, 8, 50], axis = 1);
    sound_weight!(all, bf16, bf16, f32, [weight]; shape = [_, 300]);
    sound_weight!(all, f16, f32, f32, [weight]; shape = [_, _], axis = 1);
    all
}

/// Dims with a last axis of each of some sizes, and enough on the others for blocks of rows.
fn shapes(spec: &Spec) -> Vec<Vec<usize>> {
    let last = spec.shape.len() - 1;
    let of = |size: usize, first: usize| {
        let dims = spec.shape.iter().enumerate().map(move |(axis, dim)| match dim {
            Dim::Fixed(n) => *n,
            _ if axis == last => size,
            _ if axis == 0 => first,
            _ => 12,
        });
        dims.collect()
    };
    match spec.shape[last] {
        Dim::OneOf(family) => family.iter().map(|&size| of(size, 70)).collect(),
        _ => vec![of(8, 130), of(100, 70), of(1024, 2)],
    }
}

/// Runs all that it visits, and looks at the second calls.
struct Second<'a> {
    calls: &'a Cell<usize>,
    /// How often the first ones ask for memory.
    first: &'a Cell<usize>,
}

impl Visit for Second<'_> {
    fn visit<T, P, D>(&mut self, subject: &Subject<T, P, D>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>,
    {
        for dims in shapes(subject.spec) {
            for gap in [None, Some(3)] {
                self.both(subject, &dims, gap);
                past_caches(|| self.both(subject, &dims, gap));
            }
        }
    }
}

impl Second<'_> {
    fn both<T, P, D>(&self, subject: &Subject<T, P, D>, dims: &[usize], gap: Option<usize>)
    where
        T: Element,
        P: Element<Compute = T::Compute>,
        D: Element<Compute = T::Compute>,
    {
        let strides = gap.map(|gap| strides(subject.spec, dims, gap));
        let strides = strides.as_deref();
        let len = strides.map_or(dims.iter().product(), |strides| reach(dims, strides));
        let params = param_len(subject.spec, dims);
        let x: Vec<T> = (0..len).map(|i| element((i % 17) as f64 - 5.0)).collect();
        let (mut y, mut z, mut dx) = (x.clone(), x.clone(), vec![D::default(); len]);
        let weight = vec![element::<P>(0.5); params];
        let (mut mean, mut var, mut tracked) = (weight.clone(), weight.clone(), 0);
        let [mut dweight, mut dbias] = [(); 2].map(|()| vec![T::Compute::default(); params]);
        let (mut saved, eps) = (Saved::default(), T::Compute::from_f64(1e-5));
        let view = || described(&x, dims, strides);
        for call in 0..2 {
            let judge = |what: &str, asked: usize| {
                let of = format_args!("{what} of {} of {}, {dims:?}, gap {gap:?}", subject.name, subject.types);
                assert!(call == 0 || asked == 0, "{of}: asked for memory {asked} times");
                self.calls.set(self.calls.get() + call);
                self.first.set(self.first.get() + asked);
            };
            let mut outcome: Outcome = Ok(());
            let args = Arguments { weight: &weight, bias: &weight, mean: &mean, var: &var, eps };
            let asked = asks(|| outcome = (subject.forward)(view(), args, described_mut(&mut y, dims, strides)));
            judge("forward", asked);
            outcome.expect("forward takes it");
            let asked = asks(|| outcome = (subject.inplace)(described_mut(&mut z, dims, strides), args));
            judge("forward_inplace", asked);
            let asked =
                asks(|| outcome = (subject.train)(view(), args, described_mut(&mut y, dims, strides), &mut saved));
            judge("forward_train", asked);
            outcome.expect("forward_train takes it");
            let asked = asks(|| {
                let grads = Grads { weight: &mut dweight, bias: &mut dbias };
                outcome =
                    (subject.backward)(view(), view(), args, &saved, described_mut(&mut dx, dims, strides), grads);
            });
            judge("backward", asked);
            outcome.expect("backward takes it");
            // One element too few.
            let asked = asks(|| outcome = (subject.forward)(view(), args, described_mut(&mut y[1..], dims, strides)));
            judge("a forward that is refused", asked);
            assert!(outcome.is_err());
            let Some(running) = &subject.running else { continue };
            let asked = asks(|| {
                let grads = Grads { weight: &mut dweight, bias: &mut dbias };
                outcome = (running.frozen)(view(), view(), args, described_mut(&mut y, dims, strides), grads);
            });
            judge("backward_frozen", asked);
            outcome.expect("backward_frozen takes it");
            let asked = asks(|| {
                let follow = Follow { mean: &mut mean, var: &mut var, tracked: &mut tracked };
                outcome = (running.update)(&saved, follow);
            });
            judge("update_running", asked);
            outcome.expect("update_running takes it");
        }
    }
}

#[normalize(kind = "layer", shape = [_, 768])]
struct Rows;

#[normalize(kind = "batch", shape = [_, 8, _])]
struct Channels;

#[normalize(kind = "weight", shape = [_, _])]
struct Linear;

/// Layers and their gradients, over bare slices.
fn layers() -> Result<(), NormError> {
    let x = vec![0.5_f32; 24 * 768];
    let (mut y, mut dx) = (x.clone(), x.clone());
    let (rows, mut row_grads, mut row_saved) = (Rows::new(), RowsGrads::new(), Saved::default());
    let (mut channels, mut channel_grads, mut saved) = (Channels::new(), ChannelsGrads::new(), Saved::default());
    let (linear, mut linear_grads) = (Linear::from_weight(&x, [24, 768])?, LinearGrads::new([24, 768]));
    let mut linear_saved = Saved::default();
    let dims = [24, 8, 96];
    let mut outcome = Ok(());
    let mut call = || -> Result<(), NormError> {
        rows.forward(&x, &mut y)?;
        rows.forward_inplace(&mut y)?;
        rows.forward_train(&x, &mut y, &mut row_saved)?;
        row_grads.zero();
        rows.backward(&x, &x, &row_saved, &mut dx, &mut row_grads)?;
        channels.forward_train((&x, dims), (&mut y, dims), &mut saved)?;
        channels.backward((&x, dims), (&x, dims), &saved, (&mut dx, dims), &mut channel_grads)?;
        channels.forward((&x, dims), (&mut y, dims))?;
        channels.backward_frozen((&x, dims), (&x, dims), (&mut dx, dims), &mut channel_grads)?;
        linear.forward(&mut y)?;
        linear.forward_train(&mut y, &mut linear_saved)?;
        linear.backward(&x, &linear_saved, &mut linear_grads)
    };
    call()?;
    let asked = asks(|| outcome = call());
    assert_eq!(asked, 0, "layers asked for memory");
    outcome
}

/// One test: there is one count for each thread, and one turn.
#[test]
fn second_calls_ask_for_no_memory() {
    assert!(asks(|| drop(vec![1_u8])) == 1, "what is asked for is counted");
    let subjects = kernels();
    at_each_level_of_halves("allocations", |level| {
        let (calls, first) = (Cell::new(0), Cell::new(0));
        subjects.each(&mut Second { calls: &calls, first: &first });
        println!("{level}: {} second calls; the first ones asked {} times", calls.get(), first.get());
        assert!(first.get() > 0, "statistics are kept in memory that is asked for");
        layers().expect("layers take it");
    });
}
