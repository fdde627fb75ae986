//! Sets of more elements than 32 bits count: only their descriptions, which no memory is behind.

use super::*;
use crate::shape::tests::operand;
use crate::spec::{Affine, Cast, Dim};

const fn spec(roles: &'static [Role], groups: Option<usize>) -> Spec {
    const OPEN: [Dim; 4] = [Dim::Any; 4];
    Spec {
        kind: "group",
        shape: OPEN.split_at(roles.len()).0,
        roles,
        groups,
        centred: true,
        of_sum: false,
        affine: Affine::None,
        eps: 0.0,
        running: None,
        cast: Cast::Once,
        dtype: "f32",
        param: "f32",
    }
}

static GROUP: Spec = spec(&[Role::Kept, Role::Channel, Role::Normalized], Some(4));
static BATCH_COLUMNS: Spec = spec(&[Role::Normalized, Role::Channel], None);
static LAYER_COLUMNS: Spec = spec(&[Role::Kept, Role::Normalized, Role::Kept], None);
static BATCH: Spec = spec(&[Role::Normalized, Role::Channel, Role::Normalized], None);

fn made<const K: usize>(
    spec: &'static Spec,
    operands: [Operand<'_>; K],
    param: Option<(&'static str, usize)>,
) -> Result<Problem<K>, NormError> {
    let mut problem = Problem::NONE;
    problem.lay_out(spec, &operands, param)?;
    Ok(problem)
}

#[test]
fn segments() {
    let dims = [1 << 8, 1 << 12, 1 << 20];
    let problem = made(&GROUP, [operand("x", dims, None), operand("y", dims, None)], None).unwrap();
    assert_eq!((problem.form, problem.sets, problem.fuse, problem.n), (Form::Segments, 1 << 12, 1 << 10, 1 << 20));
    assert_eq!((problem.total, problem.count(), problem.statistics()), (1 << 40, 1 << 30, 4 << 8));
    // A group does not fit the cache: one at a time.
    let len = problem.flight_len(4);
    assert_eq!(len, 1 << 10);
    let mut next = 0;
    problem.for_each_flight(len, 0..problem.kept.total * problem.flights(len), &mut |flight| {
        assert_eq!((flight.run, flight.first), (next / 4, next % 4 * len));
        assert_eq!(flight.offsets, [flight.run << 32; 2]);
        let mut blocks = Vec::new();
        problem.for_each_block(flight, 0..1, 1, &mut |first, rows, at| blocks.push((first, rows, at)));
        assert_eq!(blocks, [(0, 1, [next << 30; 2])]);
        let last = problem.element(flight, flight.first, (1 << 30) - 1);
        assert_eq!(last, ([((next + 1) << 30) - 1; 2], flight.first + len - 1, 0));
        next += 1;
    });
    assert_eq!(next, 4 << 8);
    assert!(problem.streams::<f32>(core::ptr::null()));
}

#[test]
fn segments_with_strides_of_2_to_the_40th() {
    let (dims, strides) = ([1 << 20, 5, 1 << 10], [1 << 40, 1 << 37, 1]);
    let operands = [operand("x", dims, Some(strides)), operand("y", dims, None)];
    let problem = made(&BATCH, operands, None).unwrap();
    assert_eq!((problem.set_strides, problem.rows.strides), ([1 << 37, 1 << 10], [1 << 40, 5 << 10]));
    assert_eq!((problem.set_len(), problem.count()), (1 << 30, 1 << 30));
    let flight = Flight { run: 0, offsets: [0; 2], first: 3, sets: 2 };
    let row = (1 << 20) - 1;
    let mut blocks = Vec::new();
    problem.for_each_block(&flight, row - 1..row + 1, 64, &mut |first, rows, at| blocks.push((first, rows, at)));
    let at = [((row - 1) << 40) + (3 << 37), (row - 1) * (5 << 10) + (3 << 10)];
    assert_eq!(blocks, [(row - 1, 2, at)]);
    let last = problem.element(&flight, 4, (1 << 30) - 1);
    assert_eq!(last, ([operands[0].len - 1, operands[1].len - 1], 4, row));
}

#[test]
fn columns() {
    let dims = [1 << 20, 1 << 14];
    let problem = made(&BATCH_COLUMNS, [operand("x", dims, None); 3], None).unwrap();
    assert_eq!((problem.form, problem.sets, problem.rows.total), (Form::Columns, 1 << 14, 1 << 20));
    let mut flights = 0;
    let len = problem.flight_len(4);
    problem.for_each_flight(len, 0..problem.flights(len), &mut |flight| {
        flights += flight.sets;
        let mut next = 0;
        problem.for_each_block(flight, 0..1 << 20, BLOCK_ROWS, &mut |first, rows, at| {
            assert_eq!((first, rows, at), (next, BLOCK_ROWS, [(first << 14) + flight.first; 3]));
            next += rows;
        });
        assert_eq!(next, 1 << 20);
    });
    assert_eq!(flights, 1 << 14);
}

#[test]
fn columns_by_row() {
    let (dims, strides) = ([3, 1 << 20, 1 << 13], [1 << 60, 1 << 39, 1]);
    let operands = [operand("x", dims, Some(strides)), operand("y", dims, None)];
    let problem = made(&LAYER_COLUMNS, operands, None).unwrap();
    assert_eq!((problem.form, problem.sets, problem.params()), (Form::ColumnsByRow, 1 << 13, 1 << 20));
    let mut runs = 0;
    problem.for_each_flight(problem.sets, 0..3, &mut |flight| {
        assert_eq!((flight.run, flight.offsets), (runs, [runs << 60, runs << 33]));
        let last = problem.element(flight, (1 << 13) - 1, (1 << 20) - 1).0;
        assert_eq!(last[1], ((runs + 1) << 33) - 1);
        runs += 1;
    });
    assert_eq!(runs, 3);
    let all = problem.end_of_run(2);
    assert_eq!(all, operands.map(|operand| operand.len - 1));
}

impl Problem<2> {
    /// Where the last element of that run is.
    fn end_of_run(&self, run: usize) -> [usize; 2] {
        let mut last = [0; 2];
        self.for_each_flight(self.sets, run..run + 1, &mut |flight| {
            if flight.run == run {
                last = self.element(flight, self.sets - 1, self.set_len() - 1).0;
            }
        });
        last
    }
}
