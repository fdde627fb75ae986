//! What every crate with a layer would compile for itself where nothing is optimized: functions of generic types that are compiled here
//! for each type of elements are taken from here.

use crate::dtype::{Element, bf16, f16};
use crate::param::{Param, Storage};
use crate::saved::Saved;
use crate::view::{View, ViewMut};

/// Never called.
fn all<T: Element>() {
    let mut param: Param<T> = Storage::filled(T::default(), 1);
    let _ = View::from(Storage::as_slice(&param));
    let _ = ViewMut::from(Storage::as_mut_slice(&mut param));
    param[0] = T::ONE;
    let _ = param.clone();
    let _ = Saved::<T::Compute>::default();
}

/// What makes the compiler compile them.
pub static ALL: [fn(); 4] = [all::<f32>, all::<f64>, all::<f16>, all::<bf16>];
