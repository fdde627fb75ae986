//! What is counted in the machine code of a kernel.

use crate::listing::{Function, Instruction};
use crate::loops::{Place, places};
use core::fmt::{Display, Formatter, Result};
use std::collections::BTreeMap;

/// The figures of one kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Instructions on vectors of the level's whole width.
    pub wide: usize,
    /// On narrower ones, such as those that a sum ends in.
    pub narrow: usize,
    /// Vectors that are written to the stack or read from it.
    pub spills: Places,
    /// Other registers that are read from the stack: addresses and counts.
    pub reloads: Places,
    /// Of the innermost loops.
    pub inner: Inner,
    /// Functions that are called, and from how many places.
    pub calls: BTreeMap<String, usize>,
}

/// What is counted in innermost loops that go through tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inner {
    pub loops: usize,
    pub wide: usize,
    /// Arithmetic on single numbers.
    pub scalar: usize,
    /// Whether there are vectors of the whole width that come from memory or go there. Only such loops are counted: where the
    /// compiler has made a version of a loop for rows of no elements, nobody waits for it.
    through_memory: bool,
}

/// How often something is done in loops that are around others, and in innermost loops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub around: usize,
    pub inner: usize,
}

impl Inner {
    /// From the table.
    pub fn new(loops: usize, wide: usize, scalar: usize) -> Self {
        Inner { loops, wide, scalar, through_memory: false }
    }
}

impl Places {
    fn count(&mut self, place: Place) {
        match place {
            Place::Outside => {}
            Place::Around => self.around += 1,
            Place::Innermost(_) => self.inner += 1,
        }
    }
}

/// The registers that are `%zmm` where the level's vectors are: the name of a kernel ends in its level.
fn widest(name: &str) -> &'static str {
    if name.ends_with("avx2") { "%ymm" } else { "%zmm" }
}

impl Figures {
    /// Those of a kernel.
    pub fn of(function: &Function<'_>) -> Self {
        let widest = widest(&function.name);
        let mut figures = Figures::default();
        let mut loops = BTreeMap::<usize, Inner>::new();
        for (instruction, place) in function.code.iter().zip(places(function)) {
            let is_wide = instruction.operands.contains(widest);
            let is_vector = is_wide || instruction.has_vector();
            let on_stack = instruction.is_on_stack(function.has_frame_pointer());
            figures.wide += usize::from(is_wide);
            figures.narrow += usize::from(is_vector && !is_wide && !instruction.is_scalar());
            if on_stack && is_vector {
                figures.spills.count(place);
            } else if on_stack && instruction.is_load() {
                figures.reloads.count(place);
            }
            if let Place::Innermost(number) = place {
                let inner = loops.entry(number).or_default();
                inner.wide += usize::from(is_wide);
                inner.scalar += usize::from(instruction.is_scalar_arithmetic());
                inner.through_memory |= is_wide && !on_stack && instruction.operands.contains('(');
            }
            if let Some(callee) = instruction.callee() {
                *figures.calls.entry(callee).or_default() += 1;
            }
        }
        for inner in loops.values().filter(|inner| inner.through_memory) {
            figures.inner.loops += 1;
            figures.inner.wide += inner.wide;
            figures.inner.scalar += inner.scalar;
        }
        figures
    }
}

impl Instruction<'_> {
    fn has_vector(&self) -> bool {
        ["%xmm", "%ymm", "%zmm"].iter().any(|register| self.operands.contains(register))
    }

    /// Whether it works on one number: `vmulss`, `vmovsd`.
    fn is_scalar(&self) -> bool {
        self.mnemonic.starts_with('v')
            && (self.mnemonic.ends_with("ss") || self.mnemonic.ends_with("sd"))
            && !self.mnemonic.starts_with("vbroadcast")
    }

    /// Whether it reads a register from memory.
    fn is_load(&self) -> bool {
        self.mnemonic.starts_with("mov") && self.operands.contains("), %")
    }

    fn is_scalar_arithmetic(&self) -> bool {
        self.is_scalar() && !self.mnemonic.starts_with("vmov") && !self.mnemonic.starts_with("vucom")
    }

    /// Whether one of its operands is a fixed place on the stack; arrays there are reached with an index.
    fn is_on_stack(&self, has_frame_pointer: bool) -> bool {
        self.each_operand()
            .any(|operand| operand.ends_with("(%rsp)") || (has_frame_pointer && operand.ends_with("(%rbp)")))
    }
}

/// As a line of the table.
impl Display for Figures {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Figures { wide, narrow, spills, reloads, inner, calls } = self;
        write!(f, "{:>5} {:>4} {:>6} |", inner.loops, inner.wide, inner.scalar)?;
        write!(f, " {:>6} {:>7} | {:>6} {:>7} |", spills.inner, reloads.inner, spills.around, reloads.around)?;
        write!(f, " {wide:>4} {narrow:>6} |")?;
        calls.iter().try_for_each(|(callee, places)| write!(f, " {callee} {places}"))
    }
}
