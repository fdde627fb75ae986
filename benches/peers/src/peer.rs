//! What the libraries' contenders have in common.

use normkit_bench::measure::{Contender, Role};
use normkit_bench::tensors::{Sizes, Tensors};
use normkit_bench::workloads::Task;
use std::cell::RefCell;
use std::rc::Rc;

/// Why a call on a workload cannot fail.
pub const WORKS: &str = "the library takes the shapes of a workload";

/// The same numbers that normkit gets.
pub fn inputs(task: &Task) -> Tensors<f32> {
    Tensors::new(Sizes { elements: task.elements(), params: task.params(), stretch: None })
}

/// Times `call`, keeps what it returns until the next call, and shows it with `read`.
pub fn contender<R: 'static>(
    name: &str,
    call: impl Fn() -> R + 'static,
    read: impl Fn(&R) -> Vec<f32> + 'static,
) -> Contender {
    consuming(name, || (), move |()| call(), read)
}

/// As [`contender`], of a call that uses up what `setup` makes, which is not timed.
pub fn consuming<S: 'static, R: 'static>(
    name: &str,
    setup: impl Fn() -> S + 'static,
    call: impl Fn(S) -> R + 'static,
    read: impl Fn(&R) -> Vec<f32> + 'static,
) -> Contender {
    let slot: Rc<RefCell<Option<R>>> = Rc::default();
    let shown = slot.clone();
    let run = move |prepared| {
        // First, so that its memory can be used again.
        drop(slot.take());
        *slot.borrow_mut() = Some(call(prepared));
    };
    Contender::with_setup(name, Role::Peer, setup, run, move || shown.borrow().as_ref().map(&read).unwrap_or_default())
}
