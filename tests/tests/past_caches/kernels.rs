//! Kernels whose rows are long enough to be stored past the caches, in all types.

use normkit::{bf16, f16};
use normkit_tests::sound::{Keep, Subjects, singles};
use normkit_tests::{sound_batch, sound_open, sound_plain, sound_weight};

/// Sizes known only at run time.
pub fn open() -> Subjects {
    let mut all = singles();
    sound_open!(all, f16 | bf16, f32);
    sound_open!(all, f64, f64);
    sound_weight!(all, bf16, f32, f32, [weight]; shape = [_, _]);
    sound_weight!(all, f16, f32, f32, [weight]; shape = [_, _], axis = 1);
    all
}

/// Rows of sizes known at compile time: around 256 bytes, around the lengths of blocks, and larger ones with parts of any kind.
pub fn rows() -> Subjects {
    let mut all = Subjects::default();
    sound_plain!(
        all, f32, f32, [weight] [weight] [weight];
        kind = "rms", shape = [_, 63 | 64 | 65 | 128 | 300 | 768 | 1000]
    );
    sound_plain!(
        all, f32, f32, [weight bias] [weight] [weight bias];
        kind = "layer", shape = [_, 64 | 100 | 127 | 128 | 1024]
    );
    sound_plain!(all, f64, f64, [weight] [weight] [weight]; kind = "rms", shape = [_, 31 | 32 | 33]);
    sound_plain!(all, f64, f64, [weight bias] [weight] [weight bias]; kind = "layer", shape = [_, 65 | 300]);
    sound_plain!(
        all, f16 | bf16, f32, [weight] [weight] [weight];
        kind = "rms", shape = [_, 127 | 128 | 129], cast = before_weight
    );
    sound_plain!(all, f16 | bf16, bf16, [weight bias] [weight] [weight bias]; kind = "layer", shape = [_, 130 | 768]);
    all
}

/// Images of sizes known at compile time: channels in segments of 1024 bytes and more, and channels in columns.
pub fn images() -> Subjects {
    let mut all = Subjects::default();
    sound_plain!(all, f32, f32, [weight bias] [weight] [weight bias]; kind = "instance", shape = [_, 3, 255 | 256 | 300]);
    sound_plain!(all, bf16, f32, [weight bias] [weight] [weight bias]; kind = "instance", shape = [_, 2, 515]);
    sound_batch!(all, f64, f64, [weight bias] [weight] [] [weight bias]; shape = [_, 2, 131]);
    sound_batch!(all, f32, f32, [weight bias] [weight] [] [weight bias]; shape = [_, _, 16 | 80 | 320], axis = -1);
    sound_batch!(all, f16, f32, [weight bias] [weight] [] [weight bias]; shape = [_, _, 96], axis = -1);
    sound_plain!(all, f32, f32, [weight bias] [weight] [weight bias]; kind = "layer", shape = [_, 3, 64], axis = 1);
    all
}
