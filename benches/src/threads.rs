//! What several threads gain, by the size of what is shared out, beside the time that a thread takes to begin.

use comfy_table::{CellAlignment, Table, presets};
use indicatif::ProgressBar;
use normkit::{NormError, Saved, norm, single_threaded};
use normkit_bench::measure::{Contender, Effort, Role, measure};
use rayon::ThreadPool;
use statrs::statistics::{Data, Median};
use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Args {
    /// Threads beside one
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(2..))]
    threads: u16,
    /// Turns that each contender takes
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..))]
    turns: u32,
    /// Time of one turn, in microseconds
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    micros: u64,
}

/// Megabytes of all tensors of a call.
const SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

const ROW: usize = 1024;

/// The tensors of a call, each of whole rows of [`ROW`] elements.
struct Tensors {
    x: Vec<f32>,
    dy: Vec<f32>,
    y: Vec<f32>,
    weight: Vec<f32>,
    dweight: Vec<f32>,
    dbias: Vec<f32>,
    saved: Saved<f32>,
}

type Call = fn(&mut Tensors) -> Result<(), NormError>;

/// The calls that are measured: their names, and how many tensors of rows they go through.
const CALLS: [(&str, usize, Call); 2] = [("rms forward", 2, rms_forward), ("layer backward", 3, layer_backward)];

fn rms_forward(on: &mut Tensors) -> Result<(), NormError> {
    norm!(kind = "rms", shape = [_, 1024]).forward(&on.x, &on.weight, &mut on.y)
}

fn layer_backward(on: &mut Tensors) -> Result<(), NormError> {
    let layer = norm!(kind = "layer", shape = [_, 1024]);
    if on.saved.rstd().is_empty() {
        layer.forward_train(&on.x, &on.weight, &on.weight, &mut on.y, &mut on.saved)?;
    }
    layer.backward(&on.x, &on.dy, &on.weight, &on.saved, &mut on.y, &mut on.dweight, &mut on.dbias)
}

/// How long threads are left idle before a call that finds them asleep.
const IDLE: Duration = Duration::from_millis(1);

/// Nanoseconds of a call on one thread; on those of the pool that this is called in, call after call; and where they sleep.
fn times(call: Call, rows: usize, effort: Effort) -> [f64; 3] {
    let values = |len: usize| (0..len).map(|i| (i % 97) as f32 - 48.0).collect::<Vec<_>>();
    let tensors = Rc::new(RefCell::new(Tensors {
        x: values(rows * ROW),
        dy: values(rows * ROW),
        y: values(rows * ROW),
        weight: values(ROW),
        dweight: values(ROW),
        dbias: values(ROW),
        saved: Saved::default(),
    }));
    let run = |alone: bool| {
        let tensors = tensors.clone();
        move || {
            let on = &mut tensors.borrow_mut();
            if alone { single_threaded(|| call(on)) } else { call(on) }.expect("the tensors fit the layer");
        }
    };
    let asleep = run(false);
    let mut contenders = [
        Contender::new("one thread", Role::Normkit, run(true), Vec::new),
        Contender::new("several", Role::Normkit, run(false), Vec::new),
        Contender::with_setup("several asleep", Role::Normkit, || wait(IDLE), move |()| asleep(), Vec::new),
    ];
    let times = measure(&mut contenders, effort);
    std::array::from_fn(|i| times[i].ns)
}

/// Keeps this thread busy for so long.
fn wait(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The time from a call of `rayon::join` until another thread begins, after the pool has been idle for so long.
fn start_of_a_thread(idle: Duration, turns: u32) -> f64 {
    let starts = (0..turns).map(|_| {
        wait(idle);
        let (begun, start) = (AtomicBool::new(false), Instant::now());
        let until_begun = || {
            // Not forever: where no other thread comes, this one does the other half.
            while !begun.load(Ordering::Acquire) && start.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            start.elapsed().as_secs_f64()
        };
        rayon::join(until_begun, || begun.store(true, Ordering::Release)).0
    });
    Data::new(starts.collect::<Vec<_>>()).median()
}

/// Measures and prints the table.
pub fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(args.threads)).build()?;
    // Also calls that kernels would keep on one thread.
    norm_runtime::threads::share_from(Some(1 << 20));
    println!("{}", table(args, &pool));
    for (idle, label) in [(IDLE, "where it sleeps"), (Duration::ZERO, "where it has just ended something else")] {
        let start = pool.install(|| start_of_a_thread(idle, 10 * args.turns));
        println!("another thread begins {:.1} microseconds after it is called, {label}", start * 1e6);
    }
    Ok(())
}

fn table(args: &Args, pool: &ThreadPool) -> Table {
    let effort = Effort { turns: args.turns, micros: args.micros };
    let bar = ProgressBar::new((SIZES.len() * CALLS.len()) as u64);
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let threads = args.threads;
    let columns = CALLS.iter().flat_map(|(name, ..)| {
        [format!("{name}: one, µs"), format!("speed of {threads}"), format!("of {threads} that sleep")]
    });
    table.set_header(std::iter::once("MB".to_owned()).chain(columns));
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    for size in SIZES {
        let mut cells = vec![size.to_string()];
        for (name, tensors, call) in CALLS {
            bar.set_message(name);
            let rows = (size << 20) / (tensors * ROW * size_of::<f32>());
            let [one, several, asleep] = pool.install(|| times(call, rows, effort));
            cells.extend([
                format!("{:.0}", one / 1e3),
                format!("{:.2}", one / several),
                format!("{:.2}", one / asleep),
            ]);
            bar.inc(1);
        }
        table.add_row(cells);
    }
    bar.finish_and_clear();
    table
}
