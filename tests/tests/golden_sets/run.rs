//! One case through one kernel or layer.

use std::collections::BTreeMap;

use normkit::{NormError, Saved};
use normkit_tests::golden::{Comparison, File, Report, Scalar, compare, largest, read_folder};

/// What the running statistics of a case are for.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// There are none.
    None,
    /// Batch norm that updates them.
    Train,
    /// Batch norm that normalizes with them.
    Eval,
}

/// A golden file, with what its metadata says.
pub struct Golden {
    pub file: File,
    pub kind: String,
    pub affine: String,
    pub mode: Mode,
    /// `num_batches_tracked` before x.
    pub batches: i64,
    /// For each element of x the set that it is normalized in, numbered as `mean` and `rstd` are.
    pub set_of: Vec<usize>,
}

impl Golden {
    pub fn new(name: &str, file: File) -> Self {
        let metadata = |key: &str| file.metadata.get(key).map(String::as_str);
        let text = |key: &str| metadata(key).unwrap_or_else(|| panic!("{name} does not say its {key}"));
        let numbers =
            |key: &str| -> Vec<usize> { text(key).split(',').map(|number| number.parse().unwrap()).collect() };
        let kind = text("kind");
        let (shape, axis) = (numbers("shape"), numbers("axis"));
        let set_of = match kind {
            "batch" | "weight" => number(&shape, &axis, |coordinate, _| coordinate),
            "instance" => number(&shape, &[0, axis[0]], |coordinate, _| coordinate),
            "group" => {
                let channels_each = shape[axis[0]] / text("groups").parse::<usize>().unwrap();
                let divisor = |at: usize| if at == axis[0] { channels_each } else { 1 };
                number(&shape, &[0, axis[0]], |coordinate, at| coordinate / divisor(at))
            }
            "rms" | "layer" => {
                let kept: Vec<usize> = (0..shape.len()).filter(|at| !axis.contains(at)).collect();
                number(&shape, &kept, |coordinate, _| coordinate)
            }
            kind => panic!("{name}: this test does not know kind {kind}"),
        };
        let mode = match metadata("mode") {
            None => Mode::None,
            Some("train") => Mode::Train,
            Some("eval") => Mode::Eval,
            Some(mode) => panic!("{name}: this test does not know mode {mode}"),
        };
        Golden {
            kind: kind.to_string(),
            affine: text("affine").to_string(),
            mode,
            batches: metadata("batches").map_or(0, |batches| batches.parse().unwrap()),
            set_of,
            file,
        }
    }

    fn get(&self, name: &str) -> &[f64] {
        self.file.get(name)
    }

    /// For each element the largest of its set, and not less than `floor`.
    fn scales_by_set(&self, name: &str, floor: f64) -> Vec<f64> {
        let mut scales = vec![floor; self.set_of.iter().max().map_or(0, |last| last + 1)];
        for (&set, value) in self.set_of.iter().zip(self.get(name)) {
            scales[set] = value.abs().max(scales[set]);
        }
        self.set_of.iter().map(|&set| scales[set]).collect()
    }

    /// What errors are measured against: see `Scalar` for y and dx. Variances and deviations are measured against
    /// themselves, and all else against the largest of its tensor.
    pub fn scales<T: Scalar>(&self, tensor: &str) -> Vec<f64> {
        match tensor {
            "y" => self.scales_by_set(tensor, T::FLOOR_Y),
            "dx" if T::DX_BY_SET => self.scales_by_set(tensor, 0.0),
            "rstd" | "variance" | "running_var_after" => self.get(tensor).to_vec(),
            "mean" | "running_mean_after" => vec![largest(self.get(tensor)).max(T::FLOOR_Y)],
            _ => vec![largest(self.get(tensor))],
        }
    }
}

/// Numbers the elements of `shape` by their coordinates along some axes, each taken through `map` with its axis.
fn number(shape: &[usize], axes: &[usize], map: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    let count = shape.iter().product();
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    (0..count)
        .map(|index| {
            axes.iter().fold(0, |so_far, &axis| {
                let size = map(shape[axis] - 1, axis) + 1;
                so_far * size + map(index / stride(axis) % shape[axis], axis)
            })
        })
        .collect()
}

/// All golden files of this test.
pub fn read_all() -> BTreeMap<String, Golden> {
    let golden = |(name, file): (String, File)| {
        let golden = Golden::new(&name, file);
        (name, golden)
    };
    read_folder("golden/sets").into_iter().map(golden).collect()
}

pub type Outcome = Result<(), NormError>;

/// What a layer would own; empty where a case has no such thing.
#[derive(Clone)]
pub struct State<T> {
    pub weight: Vec<T>,
    pub bias: Vec<T>,
    pub running_mean: Vec<T>,
    pub running_var: Vec<T>,
    pub batches: i64,
}

impl<T: Scalar> State<T> {
    fn new(golden: &Golden) -> Self {
        let cast = |name| golden.file.cast(name);
        State {
            weight: cast("weight"),
            bias: cast("bias"),
            running_mean: cast("running_mean"),
            running_var: cast("running_var"),
            batches: golden.batches,
        }
    }
}

/// Of the parameters.
pub struct Gradients<T> {
    pub weight: Vec<T>,
    pub bias: Vec<T>,
}

impl<T: Scalar> Gradients<T> {
    fn zero(golden: &Golden) -> Self {
        let zeros = |name| vec![T::default(); golden.get(name).len()];
        Gradients { weight: zeros("weight"), bias: zeros("bias") }
    }
}

/// A kernel or a layer. For weight norm x is v, y the weight, dx the gradient of v.
#[allow(clippy::type_complexity, reason = "each type is written once, here")]
pub struct Subject<'a, T: Scalar> {
    /// Inference.
    pub forward: &'a dyn Fn(&[T], &State<T>, &mut [T]) -> Outcome,
    pub forward_inplace: Option<&'a dyn Fn(&mut [T], &State<T>) -> Outcome>,
    /// Updates the running statistics.
    pub train: &'a dyn Fn(&[T], &mut State<T>, &mut [T], &mut Saved<T>) -> Outcome,
    /// Adds to the last argument; for weight norm to dx too.
    pub backward: &'a dyn Fn(&[T], &[T], &State<T>, &Saved<T>, &mut [T], &mut Gradients<T>) -> Outcome,
    /// The gradients of inference.
    pub frozen: Option<&'a dyn Fn(&[T], &[T], &State<T>, &mut [T], &mut Gradients<T>) -> Outcome>,
}

/// The comparisons of one case.
struct Checks<'a> {
    golden: &'a Golden,
    done: Vec<Comparison>,
}

impl Checks<'_> {
    /// Compares a tensor with `times` what the file says; where it has a leading axis of steps, with one of them.
    fn part<T: Scalar>(
        &mut self,
        step: &str,
        tensor: &'static str,
        at: usize,
        outcome: &Outcome,
        got: &[T],
        times: f64,
    ) {
        let all = self.golden.get(tensor);
        let range = at * got.len()..(at + 1) * got.len();
        let bound = if tensor.starts_with('d') { T::BOUND_GRADIENT } else { T::BOUND_Y };
        let mut scales = self.golden.scales::<T>(tensor);
        if scales.len() == all.len() {
            scales = scales.get(range.clone()).unwrap_or_default().to_vec();
        }
        let scales: Vec<f64> = scales.iter().map(|scale| scale * times).collect();
        let expected: Vec<f64> = all.get(range).unwrap_or(all).iter().map(|value| value * times).collect();
        let result = match outcome {
            Ok(()) => compare(got, &expected, &scales, bound),
            Err(error) => Err(format!("{error:?}")),
        };
        self.done.push((step.to_string(), tensor, result));
    }

    fn whole<T: Scalar>(&mut self, step: &str, tensor: &'static str, outcome: &Outcome, got: &[T], times: f64) {
        let result = if got.len() == self.golden.get(tensor).len() {
            return self.part(step, tensor, 0, outcome, got, times);
        } else {
            Err(format!("{} elements, expected {}", got.len(), self.golden.get(tensor).len()))
        };
        self.done.push((step.to_string(), tensor, result));
    }

    fn gradients<T: Scalar>(&mut self, step: &str, outcome: &Outcome, got: &Gradients<T>, times: f64) {
        self.whole(step, "dweight", outcome, &got.weight, times);
        self.whole(step, "dbias", outcome, &got.bias, times);
    }
}

pub struct Run {
    pub golden: BTreeMap<String, Golden>,
    pub report: Report,
}

impl Run {
    /// Several cases through one kernel or layer, whose parameters are these.
    pub fn cases<T: Scalar>(
        &mut self,
        names: &[&str],
        form: &'static str,
        parameters: &[&str],
        subject: &Subject<'_, T>,
    ) {
        for &name in names {
            let golden = self.golden.get(name).unwrap_or_else(|| panic!("there is no golden file {name}"));
            let affine = if parameters.is_empty() { "none".to_string() } else { parameters.join("_") };
            assert_eq!(golden.affine, affine, "the parameters of {name}");
            let mut checks = Checks { golden, done: Vec::new() };
            if golden.mode != Mode::Train {
                inference(&mut checks, subject);
            }
            if golden.mode != Mode::Eval {
                training(&mut checks, subject);
            }
            self.report.record(name, form, T::NAME, checks.done);
        }
    }
}

/// Outputs start as NaN: what is not written does not pass.
fn nan<T: Scalar>(like: &[T]) -> Vec<T> {
    vec![T::from_f64(f64::NAN); like.len()]
}

fn inference<T: Scalar>(checks: &mut Checks<'_>, subject: &Subject<'_, T>) {
    let golden = checks.golden;
    let (x, dy): (Vec<T>, Vec<T>) = (golden.file.cast("x"), golden.file.cast("dy"));
    let state = State::new(golden);

    let mut y = nan(&x);
    let outcome = (subject.forward)(&x, &state, &mut y);
    checks.whole("forward", "y", &outcome, &y, 1.0);

    if let Some(forward_inplace) = subject.forward_inplace {
        let mut y = x.clone();
        let outcome = forward_inplace(&mut y, &state);
        checks.whole("forward_inplace", "y", &outcome, &y, 1.0);
    }
    if golden.mode == Mode::Eval {
        let frozen = subject.frozen.expect("batch norm has gradients of inference");
        let mut gradients = Gradients::zero(golden);
        for (times, step) in [(1.0, "backward_frozen"), (2.0, "backward_frozen again")] {
            let mut dx = nan(&x);
            let outcome = frozen(&x, &dy, &state, &mut dx, &mut gradients);
            checks.whole(step, "dx", &outcome, &dx, 1.0);
            checks.gradients(step, &outcome, &gradients, times);
        }
    }
}

fn training<T: Scalar>(checks: &mut Checks<'_>, subject: &Subject<'_, T>) {
    let golden = checks.golden;
    let (x, dy): (Vec<T>, Vec<T>) = (golden.file.cast("x"), golden.file.cast("dy"));
    let dx_adds_up = golden.kind == "weight";
    let mut state = State::new(golden);
    let mut saved = Saved::default();
    let mut gradients = Gradients::zero(golden);
    let mut dx = if dx_adds_up { vec![T::default(); x.len()] } else { nan(&x) };
    // Twice: `saved` is reused, dx is written anew, parameter gradients are added up.
    for (times, forward, backward) in [(1.0, "train", "backward"), (2.0, "train again", "backward again")] {
        state = State::new(golden);
        let mut y = nan(&x);
        let outcome = (subject.train)(&x, &mut state, &mut y, &mut saved);
        checks.whole(forward, "y", &outcome, &y, 1.0);
        checks.whole(forward, "mean", &outcome, saved.mean(), 1.0);
        checks.whole(forward, "rstd", &outcome, saved.rstd(), 1.0);
        checks.whole(forward, "variance", &outcome, saved.variance(), 1.0);
        running(checks, forward, 0, &outcome, &state);

        if !dx_adds_up {
            dx = nan(&x);
        }
        let outcome = (subject.backward)(&x, &dy, &state, &saved, &mut dx, &mut gradients);
        checks.whole(backward, "dx", &outcome, &dx, if dx_adds_up { times } else { 1.0 });
        checks.gradients(backward, &outcome, &gradients, times);
    }
    let more: Vec<T> = golden.file.cast("more");
    for (step, x) in more.chunks(x.len()).enumerate() {
        let outcome = (subject.train)(x, &mut state, &mut nan(x), &mut saved);
        running(checks, "train on more", step + 1, &outcome, &state);
    }
}

/// The running statistics after a batch.
fn running<T: Scalar>(checks: &mut Checks<'_>, step: &str, at: usize, outcome: &Outcome, state: &State<T>) {
    if checks.golden.mode != Mode::Train {
        return;
    }
    checks.part(step, "running_mean_after", at, outcome, &state.running_mean, 1.0);
    checks.part(step, "running_var_after", at, outcome, &state.running_var, 1.0);
    let expected = checks.golden.batches + at as i64 + 1;
    let result =
        if state.batches == expected { Ok(0.0) } else { Err(format!("{}, expected {expected}", state.batches)) };
    checks.done.push((step.to_string(), "num_batches_tracked", result));
}
