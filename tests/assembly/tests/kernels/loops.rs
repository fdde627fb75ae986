//! The loops of a function: those that control flow has, however blocks are laid out.

use crate::listing::Function;

/// For each instruction how it is within loops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not at all.
    Outside,
    /// Within one, but there is another loop in that.
    Around,
    /// Within one without others in it, which has this number.
    Innermost(usize),
}

/// Where the instructions of `function` are.
pub fn places(function: &Function<'_>) -> Vec<Place> {
    let blocks = Blocks::of(function);
    let bodies = blocks.loops();
    // Of two loops that meet, one is in the other; the same header means one loop with two ways back.
    let is_innermost = |body: &Vec<bool>| {
        let within = |other: &Vec<bool>| other != body && other.iter().zip(body).all(|(inner, outer)| !inner || *outer);
        !bodies.iter().any(within)
    };
    let mut of_block = vec![Place::Outside; blocks.starts.len()];
    let mut number = 0;
    for body in &bodies {
        let place = if is_innermost(body) { Place::Innermost(number) } else { Place::Around };
        number += usize::from(is_innermost(body));
        for (block, _) in body.iter().enumerate().filter(|(_, inside)| **inside) {
            if !matches!(of_block[block], Place::Innermost(_)) {
                of_block[block] = place;
            }
        }
    }
    (0..function.code.len()).map(|index| of_block[blocks.of_instruction[index]]).collect()
}

/// The graph of control flow.
struct Blocks {
    starts: Vec<usize>,
    of_instruction: Vec<usize>,
    /// Blocks that each goes on to.
    next: Vec<Vec<usize>>,
}

impl Blocks {
    fn of(function: &Function<'_>) -> Self {
        let code = &function.code;
        let mut is_start = vec![false; code.len() + 1];
        is_start[0] = true;
        for (index, instruction) in code.iter().enumerate() {
            if let Some(target) = function.target(index) {
                is_start[target] = true;
            }
            is_start[index + 1] |= instruction.is_branch() || instruction.ends();
        }
        let starts: Vec<usize> = (0..code.len()).filter(|index| is_start[*index]).collect();
        let mut block = 0;
        let of_instruction: Vec<usize> = (0..code.len())
            .map(|index| {
                block += usize::from(index > 0 && is_start[index]);
                block
            })
            .collect();
        let next = (0..starts.len()).map(|block| {
            let last = starts.get(block + 1).map_or(code.len(), |next| *next) - 1;
            let after = (!code[last].ends() && last + 1 < code.len()).then_some(last + 1);
            after.into_iter().chain(function.target(last)).map(|index| of_instruction[index]).collect()
        });
        Blocks { next: next.collect(), starts, of_instruction }
    }

    /// For each block those that every way to it leads through, itself included.
    fn dominators(&self) -> Vec<Vec<bool>> {
        let count = self.starts.len();
        let mut all = vec![vec![true; count]; count];
        all[0] = vec![false; count];
        all[0][0] = true;
        let mut before = vec![Vec::new(); count];
        self.next.iter().enumerate().for_each(|(from, next)| next.iter().for_each(|to| before[*to].push(from)));
        loop {
            let mut changed = false;
            for block in 1..count {
                let mut new = vec![true; count];
                for from in &before[block] {
                    new.iter_mut().zip(&all[*from]).for_each(|(new, from)| *new &= from);
                }
                new[block] = true;
                if new != all[block] {
                    all[block] = new;
                    changed = true;
                }
            }
            if !changed {
                return all;
            }
        }
    }

    /// The blocks of each loop; loops with one header are one.
    fn loops(&self) -> Vec<Vec<bool>> {
        let dominators = self.dominators();
        let count = self.starts.len();
        let mut before = vec![Vec::new(); count];
        self.next.iter().enumerate().for_each(|(from, next)| next.iter().for_each(|to| before[*to].push(from)));
        let of_header = |header: usize| {
            let mut body = vec![false; count];
            let mut pending: Vec<usize> =
                before[header].iter().copied().filter(|from| dominators[*from][header]).collect();
            if pending.is_empty() {
                return None;
            }
            body[header] = true;
            while let Some(block) = pending.pop() {
                if !core::mem::replace(&mut body[block], true) {
                    pending.extend(&before[block]);
                }
            }
            Some(body)
        };
        (0..count).filter_map(of_header).collect()
    }
}
