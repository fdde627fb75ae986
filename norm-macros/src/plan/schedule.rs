//! The choice of a schedule.

use super::{Facts, Pass};
use crate::model::{Dtype, Len};

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 with the conversions to bf16, over pairs of registers.
    Avx512Bf16,
    Avx512,
    Avx2,
    Portable,
}

impl Isa {
    /// All of them, best first.
    pub const ALL: [Isa; 4] = [Isa::Avx512Bf16, Isa::Avx512, Isa::Avx2, Isa::Portable];

    /// Those that there are kernels for over elements of that type, best first.
    pub fn of(dtype: Dtype) -> &'static [Isa] {
        if dtype == Dtype::Bf16 { &Isa::ALL } else { &Isa::ALL[1..] }
    }

    /// The one that schedules are the same for: that with as many registers.
    fn as_planned(self) -> Isa {
        if self == Isa::Avx512Bf16 { Isa::Avx2 } else { self }
    }

    /// The name of the level, and of the vocabulary's module.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Avx512Bf16 => "avx512_bf16",
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }

    /// Elements of a vector. With the conversions to bf16 that is a pair of registers. The portable level's are as wide as AVX2's, in two registers where the machine has no such one.
    pub const fn lanes(self, compute: Dtype) -> usize {
        match self {
            Isa::Avx512Bf16 => 128 / compute.size(),
            Isa::Avx512 => 64 / compute.size(),
            Isa::Avx2 | Isa::Portable => 32 / compute.size(),
        }
    }

    /// Vectors that fit the registers.
    const fn registers(self) -> usize {
        match self {
            Isa::Avx512 => 32,
            Isa::Avx512Bf16 | Isa::Avx2 => 16,
            Isa::Portable => 8,
        }
    }
}

/// What is done with the elements that do not fill a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// There are none.
    None,
    /// As many as this.
    Part(usize),
    /// It depends on the length.
    Runtime,
}

/// How one kernel goes through its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Elements of a vector.
    pub lanes: usize,
    /// Rows taken together; what is left over is taken one by one, with the same arithmetic in the same order.
    pub rows: usize,
    /// Accumulators of each sum of each row.
    pub chains: usize,
    /// Whether a row stays in registers between the two sweeps. The code is then straight-line.
    pub keep: bool,
    /// Vectors in one iteration of the loops; 0 where the code is straight-line.
    pub unroll: usize,
    /// Whether the gradients of the parameters stay in registers over all rows.
    pub keep_grads: bool,
    /// Over rows: whether the second sweep goes from the end to the start.
    pub reversed: bool,
    pub tail: Tail,
    /// Over columns: the most vectors of a tile that goes down the rows; 0 where there is no tile.
    pub tile: usize,
    /// Why it is so.
    pub why: &'static str,
}

impl Schedule {
    /// Vectors of a row, a partial one included, where the length is known.
    pub fn vectors(&self, len: Len) -> Option<usize> {
        match len {
            Len::Fixed(n) => Some(n.div_ceil(self.lanes)),
            Len::Runtime => None,
        }
    }
}

/// The schedule for these facts, over rows.
pub fn choose(isa: Isa, facts: &Facts) -> Schedule {
    let schedule = one_way(isa, facts);
    Schedule { reversed: !schedule.keep && reverses(facts, schedule.rows), ..schedule }
}

/// Whether the second sweep over `rows` rows together goes from their end, which was read last and is the nearest. Where all that is read beside
/// what is written fits the first-level cache, nothing is gained by that, and up to a tenth lost: prefetchers ask for the next row.
///
/// Measured over 64 rows: backward rms 0.95 at 768 and 1024, 1.1 to 1.15 from 1536 to 16384; backward layer 1.1 at 768, 1.15 to 1.2 from
/// 1536 to 4096; forward layer 1.1 at 4096 and 8192; forward rms 0.92 at 4096, 1.08 at 8192. Beyond the second-level cache (512 rows of
/// 4096) backward rms 0.95, layer 0.97.
fn reverses(facts: &Facts, rows: usize) -> bool {
    let Len::Fixed(n) = facts.len else { return facts.pass == Pass::Backward };
    let (element, compute) = (facts.dtype.size(), facts.dtype.compute().size());
    let params = facts.affine.count();
    if facts.pass == Pass::Backward {
        let weight = params.min(1);
        n * (2 * rows * element + (weight + params) * compute) >= 20 << 10
    } else {
        n * (rows * element + params * compute) > 32 << 10
    }
}

fn one_way(isa: Isa, facts: &Facts) -> Schedule {
    let base = base(isa, facts);
    let lanes = base.lanes;
    let Len::Fixed(n) = facts.len else {
        return Schedule {
            why: "the length is known at run time: one row at a time, four vectors an iteration",
            ..base
        };
    };
    if isa == Isa::Portable {
        return Schedule {
            chains: 2,
            unroll: 2,
            why: "kept small: the level that is always there, not the fast path",
            ..base
        };
    }
    let vectors = n.div_ceil(lanes);
    match facts.pass {
        Pass::Backward => backward(isa.as_planned(), facts, n, vectors, base),
        _ => forward(isa, facts, n, vectors, base),
    }
}

/// One row at a time, in loops of four vectors.
fn base(isa: Isa, facts: &Facts) -> Schedule {
    let lanes = isa.lanes(facts.dtype.compute());
    Schedule {
        lanes,
        rows: 1,
        chains: 4,
        keep: false,
        unroll: 4,
        keep_grads: false,
        reversed: false,
        tail: match facts.len {
            Len::Runtime => Tail::Runtime,
            Len::Fixed(n) if n % lanes == 0 => Tail::None,
            Len::Fixed(n) => Tail::Part(n % lanes),
        },
        tile: 0,
        why: "",
    }
}

/// The schedule for segments of channels: one after the other, all numbers of a channel in registers.
pub fn segments(isa: Isa, facts: &Facts) -> Schedule {
    let base = base(isa, facts);
    let isa = isa.as_planned();
    let why = match facts.pass {
        Pass::Sums | Pass::GradientSums => {
            "as many channels as fit half of L2 are summed, then written, before the next"
        }
        _ => "the parameters are folded into two or three numbers of each channel; stores go past the caches beyond L3",
    };
    let few = if isa == Isa::Portable { 2 } else { 4 };
    Schedule { chains: few, unroll: few, why, ..base }
}

/// The schedule for columns: few of them are a tile that goes down the rows with all its sums and numbers in registers; any others
/// are swept along several rows together, which share the loads of sums and numbers.
pub fn columns(isa: Isa, facts: &Facts) -> Schedule {
    let base = base(isa, facts);
    let isa = isa.as_planned();
    // Three numbers of a column are in registers in the forward passes, five in the others.
    let (tile, rows) = match (isa, facts.pass) {
        (Isa::Avx512, Pass::Sums) => (8, 8),
        (Isa::Avx512, Pass::Output) => (8, 2),
        (Isa::Avx512, _) => (4, 4),
        (Isa::Avx512Bf16 | Isa::Avx2, Pass::Sums | Pass::Output) => (4, 4),
        (Isa::Avx512Bf16 | Isa::Avx2, _) => (2, 2),
        (Isa::Portable, Pass::Sums | Pass::Output) => (2, 2),
        (Isa::Portable, _) => (1, 1),
    };
    let is_tile = matches!(facts.len, Len::Fixed(n) if n <= tile * base.lanes);
    let why = match (is_tile, facts.pass) {
        (true, Pass::Sums | Pass::GradientSums) => {
            "a tile: sums stay in registers down the rows, and join in f64 every 64 rows"
        }
        (true, _) => "a tile: its numbers stay in registers down the rows; stores go past the caches beyond L3",
        (false, Pass::Sums | Pass::GradientSums) => {
            "along the rows, as prefetchers follow; sums join in f64 every 64 rows"
        }
        (false, _) => "along the rows, as prefetchers follow; stores go past the caches beyond L3",
    };
    Schedule {
        rows: if is_tile { 1 } else { rows },
        chains: 1,
        unroll: 1,
        tile: if is_tile { tile } else { 0 },
        why,
        ..base
    }
}

/// Registers that are left for rows and accumulators when temporaries and broadcast values have theirs.
fn budget(isa: Isa) -> usize {
    isa.registers() - 4
}

/// Measured on an AVX-512 machine, 64 rows, medians within one run, against one row at a time in loops of four vectors:
///
/// | length, f32 | rms | layer |
/// |---|---|---|
/// | 64 | four rows in registers 1.4 | four rows in registers 1.7 |
/// | 100 | two rows in registers 1.3, four in cache 1.0 | four rows in cache 1.4, two in registers 1.3 |
/// | 128 | bound by the L2 cache: all within 3 % | four rows in cache 1.4 |
/// | 256 | one row 1.0, two 0.97 | four rows 1.2, two 1.1, one in registers 1.15 |
/// | 768 | one row 1.0, four 0.95 | four rows 1.2, two 1.1 |
/// | 1024 | all within 3 % | two rows 1.0 to 1.1, four 0.95 to 1.05 |
/// | 4096 | one row 1.0, two 0.9 | one row 1.0, two 0.9 to 1.05 |
///
/// Half types gain 1.2 (rms) and 1.15 (layer) from four rows of 768. At 2048 one row is 1.15 times as fast in rms, 0.95 in layer; at 4096
/// all are within 3 % in L2, and one row is 1.2 times as fast beyond it.
///
/// Rms has half the reductions to hide, and its loop is near the load and store ports' limit by itself.
fn forward(isa: Isa, facts: &Facts, n: usize, vectors: usize, base: Schedule) -> Schedule {
    let sums = if facts.centred { 2 } else { 1 };
    let together = [(4, 1), (2, 2), (2, 1)];
    let kept = together.into_iter().filter(|&(rows, _)| !facts.centred || isa.as_planned() == Isa::Avx2 || rows == 4);
    for (rows, chains) in kept {
        let chains = chains.min(vectors);
        if rows * (vectors + sums * chains) <= budget(isa) {
            let why = "the rows fit the registers together: read once, and their reductions overlap";
            return Schedule { rows, chains, keep: true, unroll: 0, why, ..base };
        }
    }
    let bytes = n * facts.dtype.size();
    match (facts.centred, isa) {
        (_, Isa::Avx512Bf16 | Isa::Avx512) if facts.dtype.is_half() => {
            if bytes < if facts.centred { 8192 } else { 4096 } {
                let why = "four rows together: half the bytes leave no time to wait for a reduction";
                Schedule { rows: 4, chains: 1, why, ..base }
            } else {
                Schedule { why: "one row: long enough to hide its reductions", ..base }
            }
        }
        (false, _) if facts.dtype.is_half() => {
            let why = "two rows together: half the bytes leave no time to wait for a reduction";
            Schedule { rows: 2, chains: 2, why, ..base }
        }
        (false, _) => Schedule { why: "one row: its loop is near the limit of the load and store ports", ..base },
        (true, _) if bytes >= 16_384 => Schedule { why: "one row: long enough to hide its reductions", ..base },
        (true, Isa::Avx512) if bytes < 4096 => Schedule {
            rows: 4,
            chains: 2,
            unroll: 4,
            why: "four rows together hide the latency of two reductions",
            ..base
        },
        // As many accumulators as the registers allow: a single row has only its own.
        (true, _) => {
            let chains = if isa == Isa::Avx512 { 4 } else { 2 };
            Schedule { rows: 2, chains, why: "two rows together hide the latency of two reductions", ..base }
        }
    }
}

/// Measured as for [`forward`]: keeping a row, its gradient and the gradients of the parameters in registers gives 1.5 times
/// one row in cache at 64 (rms), 1.3 at 100 and 128, even where a few values are spilled. Two rows in cache give 1.1 to
/// 1.25 from 256 on, 0.9 where a row is 4096 bytes, 1.0 to 1.2 where it is a larger multiple; four together lose there, by half on
/// some machines, as their lines compete for the same cache sets.
///
/// Without parameters along the row (those of weight and instance normalization are one number each) one row is 1.0 to 1.25 times as
/// fast as two, at lengths from 576 to 4096.
fn backward(isa: Isa, facts: &Facts, n: usize, vectors: usize, base: Schedule) -> Schedule {
    let grads = facts.affine.count();
    // Two vectors for each of a row's: the normalized element and the gradient times the weight.
    if (2 + grads) * vectors <= isa.registers() {
        let why = "the row, its gradient and the gradients of the parameters fit the registers";
        return Schedule { chains: vectors.min(2), keep: true, keep_grads: grads > 0, unroll: 0, why, ..base };
    }
    let loops = Schedule { chains: 2, unroll: 2, ..base };
    match isa {
        _ if grads == 0 => {
            let chains = if facts.centred { 2 } else { 4 };
            let why = "one row: there is nothing along it that two would share";
            Schedule { chains, unroll: chains, why, ..base }
        }
        Isa::Avx512 if n * facts.dtype.size() == 4096 => {
            let why = "one row: lines of two, 4096 bytes apart, compete for the same cache sets";
            Schedule { why, ..loops }
        }
        Isa::Avx512 => {
            let why = "two rows together share the loads of weight and the gradients of the parameters";
            Schedule { rows: 2, why, ..loops }
        }
        _ => Schedule { why: "one row: two would not leave registers for their sums", ..loops },
    }
}
