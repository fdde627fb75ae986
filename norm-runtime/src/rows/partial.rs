//! Gradients of parameters: partial sums of blocks of rows, added up in a fixed tree.

use super::{PADDING, ParamGrads};
use crate::dtype::Compute;
use crate::scratch::Memory;
use crate::threads::{self, Shared};
use core::ops::Range;

/// Adds the gradients of some rows to partial sums of `dweight` and `dbias`; the memory is for what it needs.
type Run<'a, A> = dyn Fn(Range<usize>, *mut A, *mut A, &mut [A]) + Sync + 'a;

/// Makes the partial sum of one block; the second memory is for what that needs.
type RunBlock<'a, A> = dyn Fn(usize, &mut [A], &mut [A]) + 'a;

/// How many rows are summed one after the other before their sum joins the tree.
fn block_rows(n: usize) -> usize {
    (65_536 / n).clamp(64, 1024)
}

/// Runs `run(rows, dweight, dbias, extra)` over blocks of `total_rows` rows of `n` elements and adds the gradients of all of them
/// to `grads`; `extra` is memory of that many elements for what `run` needs.
///
/// Blocks are added up in a binary tree. What threads take are whole branches of it, each with a slot of its own for its sum.
pub(super) fn sum_blocks<A: Compute>(
    (n, total_rows): (usize, usize),
    bytes: usize,
    extra: usize,
    grads: ParamGrads<'_, A>,
    run: &Run<'_, A>,
) {
    let padded = n.next_multiple_of(PADDING);
    let size = usize::from(grads.weight.is_some()) * padded + usize::from(grads.bias.is_some()) * padded;
    let block = block_rows(n);
    let blocks = total_rows.div_ceil(block);
    let branch = blocks.div_ceil(threads::pieces(bytes, blocks).max(1)).next_power_of_two();
    let pieces = blocks.div_ceil(branch);
    let sum_of = |blocks: Range<usize>, sum: &mut [A]| {
        sum_tree(blocks, size, extra, sum, &|index, partial, extra| {
            let (dweight, dbias) = partial.split_at_mut(padded.min(size));
            // What there is no room for is null, as kernels expect.
            let pointer = |part: &mut [A]| if part.is_empty() { core::ptr::null_mut() } else { part.as_mut_ptr() };
            let (dweight, dbias) = (pointer(dweight), pointer(dbias));
            run(index * block..total_rows.min((index + 1) * block), dweight, dbias, extra);
        });
    };
    let mut memory = Memory::default();
    let memory: &mut [A] = memory.elements(pieces * size);
    // SAFETY: each piece has a slot of its own; the call waits for all of them.
    let slots = unsafe { Shared::new(memory.as_mut_ptr()) };
    threads::for_each(pieces, &|piece| {
        // SAFETY: `memory` holds that many slots, and pieces differ.
        let sum = unsafe { threads::slot(slots, piece, size) };
        sum_of(piece * branch..blocks.min((piece + 1) * branch), sum);
    });
    add_in_tree(memory, pieces, size, &mut |memory, piece, height| {
        memory.copy_within(piece * size..(piece + 1) * size, height * size);
    });
    if pieces > 0 {
        let (dweight, dbias) = memory[..size].split_at(padded.min(size));
        add_to(grads.weight, dweight);
        add_to(grads.bias, dbias);
    }
}

/// Sums what `run(block, partial sum, extra)` gives for `blocks` into `sum`, of `size` elements.
fn sum_tree<A: Compute>(blocks: Range<usize>, size: usize, extra: usize, sum: &mut [A], run: &RunBlock<'_, A>) {
    let depth = (usize::BITS - blocks.len().leading_zeros()) as usize + 1;
    let mut memory = Memory::default();
    let (memory, extra) = memory.elements(depth * size + extra).split_at_mut(depth * size);
    add_in_tree(memory, blocks.len(), size, &mut |memory, index, height| {
        let partial = &mut memory[height * size..][..size];
        partial.fill(A::default());
        run(blocks.start + index, partial, extra);
    });
    sum.copy_from_slice(&memory[..size]);
}

/// Adds up `count` partial sums of `size` elements into the first place of `memory`; `put(memory, which, height)` puts each into the
/// place at that height.
///
/// They lie on a stack, one for each bit of the number of those done: two of equal weight are added as soon as they meet, as a
/// binary counter carries.
fn add_in_tree<A: Compute>(memory: &mut [A], count: usize, size: usize, put: &mut dyn FnMut(&mut [A], usize, usize)) {
    let mut height = 0;
    for index in 0..count {
        put(memory, index, height);
        height += 1;
        for _ in 0..(index + 1).trailing_zeros() {
            height -= 1;
            add_top(memory, height, size);
        }
    }
    while height > 1 {
        height -= 1;
        add_top(memory, height, size);
    }
}

/// Adds the partial sum at `height` to the one below it.
fn add_top<A: Compute>(memory: &mut [A], height: usize, size: usize) {
    let (below, top) = memory.split_at_mut(height * size);
    add_to(Some(&mut below[(height - 1) * size..]), &top[..size]);
}

fn add_to<A: Compute>(sum: Option<&mut [A]>, values: &[A]) {
    if let Some(sum) = sum {
        for (sum, &value) in sum.iter_mut().zip(values) {
            *sum += value;
        }
    }
}
