//! The choice of a schedule.

use super::{Facts, Pass};
use crate::model::{Affine, Dtype, Len};

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    Avx512,
    Avx2,
    Portable,
}

impl Isa {
    /// All of them, best first.
    pub const ALL: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

    /// The name of the level, and of the vocabulary's module.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }

    /// Elements of a vector. The portable level's are as wide as AVX2's, in two registers where the machine has no such one.
    pub const fn lanes(self, compute: Dtype) -> usize {
        match self {
            Isa::Avx512 => 64 / compute.size(),
            Isa::Avx2 | Isa::Portable => 32 / compute.size(),
        }
    }

    /// Vectors that fit the registers.
    const fn registers(self) -> usize {
        match self {
            Isa::Avx512 => 32,
            Isa::Avx2 => 16,
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
    pub tail: Tail,
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

/// The schedule for these facts.
pub fn choose(isa: Isa, facts: &Facts) -> Schedule {
    let lanes = isa.lanes(facts.dtype.compute());
    let tail = match facts.len {
        Len::Runtime => Tail::Runtime,
        Len::Fixed(n) if n % lanes == 0 => Tail::None,
        Len::Fixed(n) => Tail::Part(n % lanes),
    };
    let base = Schedule { lanes, rows: 1, chains: 4, keep: false, unroll: 4, keep_grads: false, tail, why: "" };
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
        Pass::Forward => forward(isa, facts, n, vectors, base),
        Pass::Backward => backward(isa, facts, n, vectors, base),
    }
}

/// Registers that are left for rows and accumulators when temporaries and broadcast values have theirs.
fn budget(isa: Isa) -> usize {
    isa.registers() - 4
}

fn forward(isa: Isa, facts: &Facts, n: usize, vectors: usize, base: Schedule) -> Schedule {
    let sums = if facts.centred { 2 } else { 1 };
    for (rows, chains) in [(4, 1), (2, 2), (2, 1), (1, 4), (1, 2)] {
        let chains = chains.min(vectors);
        if rows * (vectors + sums * chains) <= budget(isa) {
            let why = if rows > 1 {
                "the rows fit the registers together: read once, and their reductions overlap"
            } else {
                "the row fits the registers: read once"
            };
            return Schedule { rows, chains, keep: true, unroll: 0, why, ..base };
        }
    }
    let bytes = n * facts.dtype.size();
    if isa == Isa::Avx2 {
        return Schedule { rows: 2, chains: 2, why: "two rows together hide the latency of a reduction", ..base };
    }
    if bytes < 4096 {
        Schedule { rows: 4, chains: 2, unroll: 2, why: "four rows together hide the latency of a reduction", ..base }
    } else {
        Schedule {
            rows: 2,
            chains: 4,
            why: "two rows together: the row is long enough to hide most of a reduction",
            ..base
        }
    }
}

fn backward(isa: Isa, facts: &Facts, n: usize, vectors: usize, base: Schedule) -> Schedule {
    let sums = if facts.centred { 2 } else { 1 };
    let grads = match facts.affine {
        Affine::None => 0,
        Affine::Weight => 1,
        Affine::WeightAndBias => 2,
    };
    for (rows, chains) in [(4, 1), (2, 1), (1, 2), (1, 1)] {
        let chains = chains.min(vectors);
        // Two vectors are kept for each of a row's: the normalized element and the gradient times the weight.
        let row = rows * (2 * vectors + sums * chains);
        if row + grads * vectors <= budget(isa) {
            let why = "the rows and the gradients of the parameters fit the registers";
            return Schedule { rows, chains, keep: true, keep_grads: grads > 0, unroll: 0, why, ..base };
        }
        if row + 2 <= budget(isa) {
            let why = "the row and its gradient fit the registers: read once";
            return Schedule { rows, chains, keep: true, unroll: 0, why, ..base };
        }
    }
    let bytes = n * facts.dtype.size();
    if isa == Isa::Avx512 && !bytes.is_multiple_of(4096) {
        let why = "two rows together share the loads of weight and the gradients of the parameters";
        return Schedule { rows: 2, chains: 2, unroll: 2, why, ..base };
    }
    let why = if isa == Isa::Avx2 {
        "one row: two would not leave registers for their sums"
    } else {
        "one row: rows a multiple of 4096 bytes apart would compete for the same cache sets"
    };
    Schedule { chains: 2, unroll: 2, why, ..base }
}
