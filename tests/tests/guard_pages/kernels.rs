//! Kernels in all types.

use normkit::{bf16, f16};
use normkit_tests::sound::{Keep, Subjects, singles};
use normkit_tests::{sound_batch, sound_open, sound_open_beside, sound_plain, sound_weight};

/// Every form and technique, of sizes known only at run time.
pub fn open() -> Subjects {
    let mut all = singles();
    sound_open!(all, f16 | bf16, f32);
    sound_open_beside!(all, f16 | bf16, f32);
    sound_open!(all, f32 | f16 | bf16, bf16);
    sound_open!(all, f64, f64);
    sound_open_beside!(all, f64, f64);
    sound_weight!(all, f16, f32, f32, [weight]; shape = [_, _]);
    sound_weight!(all, f16, f32, f32, [weight]; shape = [_, _], axis = 1);
    sound_weight!(all, bf16, bf16, f32, [weight]; shape = [_, _, _], axis = 1);
    sound_weight!(all, bf16, f32, f32, [weight]; shape = [_, _], axis = 1);
    sound_weight!(all, f64, f64, f64, [weight]; shape = [_, _, _], axis = 1);
    sound_plain!(all, f16 | bf16, bf16, [weight] [weight] [weight]; kind = "rms", shape = [_, _], cast = before_weight);
    all
}

/// Sizes known at compile time: rows that fit the registers and rows that do not, with remainders of one element, of each power of
/// two, and none.
pub fn fixed() -> Subjects {
    let mut all = Subjects::default();
    sound_plain!(
        all, f32 | f16 | bf16, f32, [weight] [weight] [weight];
        kind = "rms", shape = [_, 1 | 3 | 7 | 16 | 20 | 33 | 63]
    );
    sound_plain!(all, f64, f64, [weight] [weight] [weight]; kind = "rms", shape = [_, 1 | 3 | 7 | 16 | 20 | 63]);
    sound_plain!(
        all, f32 | f16 | bf16, bf16, [weight bias] [weight] [weight bias];
        kind = "layer", shape = [_, 1 | 6 | 17 | 31 | 100 | 257]
    );
    sound_plain!(
        all, f32 | bf16, f32, [weight bias] [weight] [weight bias];
        kind = "layer", shape = [_, 3, 1 | 5 | 17 | 50], axis = 1
    );
    sound_plain!(
        all, f32 | f16 | bf16, f32, [weight bias] [weight] [weight bias];
        kind = "instance", shape = [_, 3, 1 | 7 | 49]
    );
    sound_batch!(all, f32 | bf16, f32, [weight bias] [weight] [] [weight bias]; shape = [_, _, 1 | 6 | 19 | 33], axis = -1);
    sound_batch!(all, f64, f64, [weight bias] [weight] [] [weight bias]; shape = [_, 7, 3 | 15 | 33]);
    sound_weight!(all, f32, f32, f32, [weight]; shape = [_, 5 | 16 | 21]);
    sound_weight!(all, bf16, bf16, f32, [weight]; shape = [_, 3 | 17], axis = 1);
    all
}
