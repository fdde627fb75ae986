use super::*;
use crate::model::{Axis, Cast, Eps, Role, Running, TECHNIQUES, Technique};
use expect_test::{Expect, expect};
use std::fmt::Write;

const RUNNING: Running = Running { momentum: None, unbiased: true };

fn facts(kind: &str, len: Len, dtype: Dtype, pass: Pass) -> Facts {
    let technique = Technique::of_kind(kind).unwrap();
    Facts { len, pass, centred: technique.centred, affine: technique.affine, dtype }
}

/// `4x1 regs`: four rows together, one chain each, kept in registers (`regs+grads`: with the gradients of the parameters);
/// `2x4 by 4`: in loops of four vectors.
/// `~3`: a tail of 3 elements, `~n`: by length.
fn cell(schedule: &Schedule) -> String {
    let kept = match (schedule.keep, schedule.keep_grads) {
        (true, true) => "regs+grads".into(),
        (true, false) => "regs".into(),
        (false, _) => format!("by {}", schedule.unroll),
    };
    let tail = match schedule.tail {
        Tail::None => String::new(),
        Tail::Part(count) => format!(" ~{count}"),
        Tail::Runtime => " ~n".into(),
    };
    format!("{}x{} {kept}{tail}", schedule.rows, schedule.chains)
}

/// The schedules for these lengths (0: known at run time), with the parameters that the kind has by default.
fn check(kind: &str, dtype: Dtype, lens: &[usize], expected: &Expect) {
    let mut table = String::new();
    let mut line = |cells: [String; 5]| {
        let [len, a, b, c, d] = cells;
        writeln!(table, "{}", format!("{len:<4} | {a:15} | {b:15} | {c:18} | {d}").trim_end()).unwrap();
    };
    line(["len", "avx512 forward", "avx2 forward", "avx512 backward", "avx2 backward"].map(String::from));
    for &n in lens {
        let len = if n == 0 { Len::Runtime } else { Len::Fixed(n) };
        let cell = |isa, pass| cell(&schedule::choose(isa, &facts(kind, len, dtype, pass)));
        line([
            if n == 0 { "_".into() } else { n.to_string() },
            cell(Isa::Avx512, Pass::Forward),
            cell(Isa::Avx2, Pass::Forward),
            cell(Isa::Avx512, Pass::Backward),
            cell(Isa::Avx2, Pass::Backward),
        ]);
    }
    expected.assert_eq(&table);
}

const LENS: &[usize] = &[1, 8, 16, 20, 32, 64, 100, 128, 200, 256, 384, 448, 512, 768, 1000, 1024, 2048, 4096, 8192, 0];

#[test]
fn rms_f32() {
    check(
        "rms",
        Dtype::F32,
        LENS,
        &expect![[r#"
            len  | avx512 forward  | avx2 forward    | avx512 backward    | avx2 backward
            1    | 4x1 regs ~1     | 4x1 regs ~1     | 1x1 regs+grads ~1  | 1x1 regs+grads ~1
            8    | 4x1 regs ~8     | 4x1 regs        | 1x1 regs+grads ~8  | 1x1 regs+grads
            16   | 4x1 regs        | 4x1 regs        | 1x1 regs+grads     | 1x2 regs+grads
            20   | 4x1 regs ~4     | 2x2 regs ~4     | 1x2 regs+grads ~4  | 1x2 regs+grads ~4
            32   | 4x1 regs        | 2x2 regs        | 1x2 regs+grads     | 1x2 regs+grads
            64   | 4x1 regs        | 1x4 by 4        | 1x2 regs+grads     | 1x2 by 2
            100  | 2x2 regs ~4     | 1x4 by 4 ~4     | 1x2 regs+grads ~4  | 1x2 by 2 ~4
            128  | 2x2 regs        | 1x4 by 4        | 1x2 regs+grads     | 1x2 by 2
            200  | 2x1 regs ~8     | 1x4 by 4        | 2x2 by 2 ~8        | 1x2 by 2
            256  | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            384  | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            448  | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            512  | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            768  | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            1000 | 1x4 by 4 ~8     | 1x4 by 4        | 2x2 by 2 ~8        | 1x2 by 2
            1024 | 1x4 by 4        | 1x4 by 4        | 1x2 by 2           | 1x2 by 2
            2048 | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            4096 | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            8192 | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            _    | 1x4 by 4 ~n     | 1x4 by 4 ~n     | 1x4 by 4 ~n        | 1x4 by 4 ~n
        "#]],
    );
}

#[test]
fn layer_f32() {
    check(
        "layer",
        Dtype::F32,
        LENS,
        &expect![[r#"
            len  | avx512 forward  | avx2 forward    | avx512 backward    | avx2 backward
            1    | 4x1 regs ~1     | 4x1 regs ~1     | 1x1 regs+grads ~1  | 1x1 regs+grads ~1
            8    | 4x1 regs ~8     | 4x1 regs        | 1x1 regs+grads ~8  | 1x1 regs+grads
            16   | 4x1 regs        | 2x2 regs        | 1x1 regs+grads     | 1x2 regs+grads
            20   | 4x1 regs ~4     | 2x1 regs ~4     | 1x2 regs+grads ~4  | 1x2 regs+grads ~4
            32   | 4x1 regs        | 2x1 regs        | 1x2 regs+grads     | 1x2 regs+grads
            64   | 4x1 regs        | 2x2 by 4        | 1x2 regs+grads     | 1x2 by 2
            100  | 4x2 by 4 ~4     | 2x2 by 4 ~4     | 1x2 regs+grads ~4  | 1x2 by 2 ~4
            128  | 4x2 by 4        | 2x2 by 4        | 1x2 regs+grads     | 1x2 by 2
            200  | 4x2 by 4 ~8     | 2x2 by 4        | 2x2 by 2 ~8        | 1x2 by 2
            256  | 4x2 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            384  | 4x2 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            448  | 4x2 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            512  | 4x2 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            768  | 4x2 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            1000 | 4x2 by 4 ~8     | 2x2 by 4        | 2x2 by 2 ~8        | 1x2 by 2
            1024 | 2x4 by 4        | 2x2 by 4        | 1x2 by 2           | 1x2 by 2
            2048 | 2x4 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            4096 | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            8192 | 1x4 by 4        | 1x4 by 4        | 2x2 by 2           | 1x2 by 2
            _    | 1x4 by 4 ~n     | 1x4 by 4 ~n     | 1x4 by 4 ~n        | 1x4 by 4 ~n
        "#]],
    );
}

#[test]
fn layer_f64_has_half_as_many_lanes() {
    check(
        "layer",
        Dtype::F64,
        &[1, 8, 20, 64, 100, 256, 512, 1024, 0],
        &expect![[r#"
            len  | avx512 forward  | avx2 forward    | avx512 backward    | avx2 backward
            1    | 4x1 regs ~1     | 4x1 regs ~1     | 1x1 regs+grads ~1  | 1x1 regs+grads ~1
            8    | 4x1 regs        | 2x2 regs        | 1x1 regs+grads     | 1x2 regs+grads
            20   | 4x1 regs ~4     | 2x2 by 4        | 1x2 regs+grads ~4  | 1x2 by 2
            64   | 4x2 by 4        | 2x2 by 4        | 1x2 regs+grads     | 1x2 by 2
            100  | 4x2 by 4 ~4     | 2x2 by 4        | 2x2 by 2 ~4        | 1x2 by 2
            256  | 4x2 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            512  | 2x4 by 4        | 2x2 by 4        | 1x2 by 2           | 1x2 by 2
            1024 | 2x4 by 4        | 2x2 by 4        | 2x2 by 2           | 1x2 by 2
            _    | 1x4 by 4 ~n     | 1x4 by 4 ~n     | 1x4 by 4 ~n        | 1x4 by 4 ~n
        "#]],
    );
}

#[test]
fn portable_is_the_same_for_all_lengths() {
    let mut cells = Vec::new();
    for kind in ["rms", "layer"] {
        for pass in [Pass::Forward, Pass::Backward] {
            for n in [8, 64, 1024] {
                cells.push(cell(&schedule::choose(Isa::Portable, &facts(kind, Len::Fixed(n), Dtype::F32, pass))));
            }
        }
    }
    cells.dedup();
    expect!["1x2 by 2"].assert_eq(&cells.join(", "));
}

// What holds for every choice.

const AFFINES: [Affine; 3] = [Affine::None, Affine::Weight, Affine::WeightAndBias];
/// Vectors in straight-line code, over all rows that are taken together: what the compiler still handles well.
const MOST_STRAIGHT: usize = 32;

/// Architectural registers, written down apart from the planner. The portable level's vector may take two of them.
fn registers(isa: Isa) -> usize {
    match isa {
        Isa::Avx512Bf16 | Isa::Avx512 => 32,
        Isa::Avx2 => 16,
        Isa::Portable => 8,
    }
}

fn each_choice(mut check: impl FnMut(&str, Isa, &Facts, &Schedule)) {
    let lens = || (1..=2100).chain([3000, 4096, 8192, 1 << 20]).map(Len::Fixed).chain([Len::Runtime]);
    for len in lens() {
        for technique in TECHNIQUES {
            for dtype in Dtype::ALL {
                for affine in AFFINES.into_iter().filter(|&affine| affine <= technique.most_affine) {
                    for pass in [Pass::Forward, Pass::Backward] {
                        for &isa in Isa::of(dtype) {
                            let facts = Facts { len, pass, centred: technique.centred, affine, dtype };
                            let schedule = schedule::choose(isa, &facts);
                            check(&format!("{isa:?} {facts:?}\n{schedule:?}"), isa, &facts, &schedule);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn tails_are_what_does_not_fill_a_vector() {
    each_choice(|shown, isa, facts, schedule| {
        let bytes = match isa {
            Isa::Avx512Bf16 => 128,
            Isa::Avx512 => 64,
            Isa::Avx2 | Isa::Portable => 32,
        };
        assert_eq!(schedule.lanes, bytes / facts.dtype.compute().size(), "{shown}");
        match (facts.len, schedule.tail) {
            (Len::Fixed(n), Tail::None) => assert_eq!(n % schedule.lanes, 0, "{shown}"),
            (Len::Fixed(n), Tail::Part(count)) => assert!(count > 0 && count == n % schedule.lanes, "{shown}"),
            (Len::Runtime, Tail::Runtime) => {}
            _ => panic!("{shown}"),
        }
    });
}

#[test]
fn chains_rows_and_unroll_fit_together() {
    each_choice(|shown, _, facts, schedule| {
        // The sums of rows are folded together by one, two or four.
        assert!([1, 2, 4].contains(&schedule.rows), "{shown}");
        assert!(schedule.chains >= 1, "{shown}");
        if schedule.keep {
            assert!(schedule.unroll == 0, "{shown}");
            assert!(schedule.vectors(facts.len).is_some_and(|vectors| schedule.chains <= vectors), "{shown}");
        } else {
            assert!(schedule.unroll > 0 && schedule.unroll.is_multiple_of(schedule.chains), "{shown}");
        }
        assert!(!schedule.why.is_empty(), "{shown}");
    });
}

#[test]
fn what_is_kept_fits_the_registers() {
    each_choice(|shown, isa, facts, schedule| {
        // The gradients of the parameters are kept over rows that are kept themselves, and only where there are any.
        assert!(!schedule.keep_grads || schedule.keep && facts.affine != Affine::None, "{shown}");
        assert!(!schedule.keep_grads || facts.pass == Pass::Backward, "{shown}");
        let (true, Some(vectors)) = (schedule.keep, schedule.vectors(facts.len)) else { return };
        let sums = if facts.centred { 2 } else { 1 };
        let (each, grads) = match facts.pass {
            Pass::Backward => (2 * vectors, if schedule.keep_grads { facts.affine as usize * vectors } else { 0 }),
            _ => (vectors, 0),
        };
        let kept = schedule.rows * each + grads;
        assert!(kept <= registers(isa), "{kept} registers: {shown}");
        // Measured: spilling a few sums costs less than reading the row again.
        let sums = schedule.rows * sums * schedule.chains;
        assert!(kept + sums <= registers(isa) + 4, "{kept} + {sums} registers: {shown}");
    });
}

#[test]
fn straight_line_code_is_bounded() {
    each_choice(|shown, _, facts, schedule| {
        let Len::Fixed(n) = facts.len else { return };
        let vectors = n.div_ceil(schedule.lanes);
        let straight = if schedule.keep {
            vectors
        } else {
            // An iteration of the loop and what is left after the last; or all of it, where there is but one iteration.
            vectors.min(2 * schedule.unroll)
        };
        assert!(straight * schedule.rows <= MOST_STRAIGHT, "{shown}");
    });
}

#[test]
fn a_plan_has_each_pass_for_each_instruction_set_and_length() {
    let model = Model {
        technique: Technique::of_kind("layer").unwrap(),
        shape: vec![Axis::Open, Axis::Family { sizes: vec![64, 20], open: true }],
        roles: vec![Role::Kept, Role::Normalized],
        groups: None,
        running: RUNNING,
        eps: Eps::Runtime,
        dtypes: vec![Dtype::F32],
        param: Dtype::F32,
        cast: Cast::Once,
        affine: Affine::Weight,
        facade: "::normkit".into(),
    };
    let plan = plan(&model);
    assert_eq!(plan, super::plan(&model));
    let lens: Vec<_> = plan.kernels.iter().map(|kernel| kernel.len).collect();
    assert_eq!(lens, [Len::Fixed(64), Len::Fixed(20), Len::Runtime]);
    for kernel in &plan.kernels {
        let found: Vec<_> = kernel.passes.iter().map(|pass| (pass.pass, pass.isa)).collect();
        let expected = [Pass::Forward, Pass::Backward]
            .into_iter()
            .flat_map(|pass| Isa::of(kernel.dtype).iter().map(move |&isa| (pass, isa)));
        assert_eq!(found, expected.collect::<Vec<_>>());
        for pass in &kernel.passes {
            let facts =
                Facts { len: kernel.len, pass: pass.pass, centred: true, affine: Affine::Weight, dtype: Dtype::F32 };
            assert_eq!(pass.schedule, schedule::choose(pass.isa, &facts));
        }
    }
}

/// The registers that a tile of columns takes fit, and so do the sums of a channel.
#[test]
fn sets_fit_the_registers() {
    for dtype in Dtype::ALL {
        for &isa in Isa::of(dtype) {
            for pass in Pass::SETS {
                let facts = Facts { len: Len::Runtime, pass, centred: true, affine: Affine::WeightAndBias, dtype };
                let numbers = match pass {
                    Pass::Sums | Pass::Output => 3,
                    _ => 5,
                };
                let (columns, segments) = (schedule::columns(isa, &facts), schedule::segments(isa, &facts));
                // Columns whose number is not known have no tile.
                assert_eq!((columns.tile, columns.chains, columns.unroll), (0, 1, 1));
                assert!(columns.rows + numbers + 2 <= registers(isa), "{isa:?} {pass:?}");
                let few = Facts { len: Len::Fixed(1), ..facts };
                let tile = schedule::columns(isa, &few).tile;
                assert!(tile >= 1 && tile * numbers + 2 <= registers(isa).max(8), "{isa:?} {pass:?} {tile}");
                let most = tile * isa.lanes(dtype.compute());
                assert_eq!(schedule::columns(isa, &Facts { len: Len::Fixed(most), ..facts }).rows, 1);
                assert!(schedule::columns(isa, &Facts { len: Len::Fixed(most + 1), ..facts }).tile == 0);
                assert!(2 * segments.chains + numbers <= registers(isa) + 2, "{isa:?} {pass:?}");
                assert_eq!(segments.tile, 0);
            }
        }
    }
}

#[test]
fn the_table_has_a_line_for_each_kernel() {
    let model = Model {
        technique: Technique::of_kind("rms").unwrap(),
        shape: vec![Axis::Open, Axis::Fixed(20)],
        roles: vec![Role::Kept, Role::Normalized],
        groups: None,
        running: RUNNING,
        eps: Eps::Fixed(1e-6),
        dtypes: vec![Dtype::F64],
        param: Dtype::F64,
        cast: Cast::Once,
        affine: Affine::Weight,
        facade: "::normkit".into(),
    };
    expect![[r#"
        rms normalization of f64 (parameters f64), shape [_, 20], 1 of 2 axes normalized

        | length | pass | level | vector | rows together | sums per row | row kept in | tail | bytes moved per element | why |
        |---|---|---|---|---|---|---|---|---|---|
        | 20 | forward, training forward | avx512 | 8 x f64 | 4 | 1 | registers (3 vectors) | 4 elements | 16 | the rows fit the registers together: read once, and their reductions overlap |
        | 20 | forward, training forward | avx2 | 4 x f64 | 2 | 1 | registers (5 vectors) | none | 16 | the rows fit the registers together: read once, and their reductions overlap |
        | 20 | forward, training forward | portable | 4 x f64 | 1 | 2 | cache (loops of 2 vectors) | none | 16 | kept small: the level that is always there, not the fast path |
        | 20 | backward | avx512 | 8 x f64 | 1 | 2 | registers (3 vectors, with the gradients of the parameters) | 4 elements | 24 | the row, its gradient and the gradients of the parameters fit the registers |
        | 20 | backward | avx2 | 4 x f64 | 1 | 2 | registers (5 vectors, with the gradients of the parameters) | none | 24 | the row, its gradient and the gradients of the parameters fit the registers |
        | 20 | backward | portable | 4 x f64 | 1 | 2 | cache (loops of 2 vectors) | none | 24 | kept small: the level that is always there, not the fast path |
    "#]].assert_eq(&table::table(&model, &plan(&model)));
}
