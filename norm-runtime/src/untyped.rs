//! Parameters and kernels without the type of the parameters, so that all around kernels is compiled once for each element type, not for
//! each pair. (With pairs, the library was twice as large, and every program with it.)

use crate::dtype::Element;
use crate::error::NormError;
use crate::rows::{BackwardArgs, ForwardArgs, Params, Select, check_found};
use crate::sets::SetArgs;
use core::any::TypeId;
use core::marker::PhantomData;

/// What kernels take that were generated for parameters of a type: the same memory, whatever the type.
///
/// # Safety
/// `Untyped` has the layout of `Self`, in which pointers to parameters alone are of another type.
pub unsafe trait TypedArgs: 'static {
    type Untyped: 'static;
}

// SAFETY: the arguments are `repr(C)`, so that pointers of one size and alignment can take the place of each other.
unsafe impl<T: Element, P: 'static> TypedArgs for ForwardArgs<T, P> {
    type Untyped = ForwardArgs<T, ()>;
}
// SAFETY: as above.
unsafe impl<T: Element, P: 'static> TypedArgs for BackwardArgs<T, P> {
    type Untyped = BackwardArgs<T, ()>;
}
// SAFETY: as above.
unsafe impl<T: Element, P: 'static> TypedArgs for SetArgs<T, P> {
    type Untyped = SetArgs<T, ()>;
}

/// The same functions to select kernels by. Whoever calls the kernels answers for parameters of the type that there was.
pub(crate) fn select_untyped<Args: TypedArgs>(select: Select<Args>) -> Select<Args::Untyped> {
    // SAFETY: thin references, and options of them, are compatible as arguments and results of functions, whatever they refer to (the
    // standard library says so under "ABI compatibility"), so both this function and the kernels may be called by the other type. What they
    // refer to has one layout: `Kernels` is `repr(C)`, of as many pointers to functions, and so are the arguments.
    unsafe { core::mem::transmute::<Select<Args>, Select<Args::Untyped>>(select) }
}

/// The same arguments.
pub(crate) fn untyped<Args: TypedArgs>(args: &Args) -> &Args::Untyped {
    // SAFETY: the contract of the trait; a pointer to anything is a pointer to parameters of no type.
    unsafe { &*core::ptr::from_ref(args).cast() }
}

/// [`widen_at`] of the type of the parameters.
pub(crate) type WidenAt<A> = unsafe fn(*const (), usize) -> A;

/// Element `index` from `start`, which points to elements of type `P`, in the type that it is computed in.
///
/// # Safety
/// That element is valid for reading.
pub(crate) unsafe fn widen_at<P: Element>(start: *const (), index: usize) -> P::Compute {
    // SAFETY: the caller's contract.
    unsafe { start.cast::<P>().add(index).read() }.widen()
}

/// Where a parameter is.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: *const (),
    len: usize,
    /// The size of an element.
    size: usize,
}

/// Where the parameters of a call are, for kernels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParamPlaces<'a> {
    weight: Option<Place>,
    bias: Option<Place>,
    lifetime: PhantomData<&'a ()>,
}

impl<'a> ParamPlaces<'a> {
    pub(crate) fn of<P>(params: &Params<'a, P>) -> Self {
        let place = |values: &[P]| Place { start: values.as_ptr().cast(), len: values.len(), size: size_of::<P>() };
        ParamPlaces { weight: params.weight.map(place), bias: params.bias.map(place), lifetime: PhantomData }
    }

    /// The length of the weight.
    pub(crate) fn len(&self) -> Option<usize> {
        self.weight.map(|place| place.len)
    }

    /// Where weight and bias of that index are; null where there is none.
    pub(crate) fn at(&self, index: usize) -> (*const (), *const ()) {
        let at = |place: Option<Place>| {
            place.map_or(core::ptr::null(), |place| {
                debug_assert!(index <= place.len);
                place.start.wrapping_byte_add(index * place.size)
            })
        };
        (at(self.weight), at(self.bias))
    }

    /// Refuses other lengths than `n`; `weight` is that one's name.
    pub(crate) fn check(&self, weight: &'static str, n: usize) -> Result<(), NormError> {
        check_found(weight, self.len(), n)?;
        check_found("bias", self.bias.map(|place| place.len), n)
    }
}

/// Values in the type that they are computed in, in `memory` where that is another one; `memory` has room for them.
pub(crate) fn widened<'a, P: Element>(
    values: Option<&'a [P]>,
    memory: &mut &'a mut [P::Compute],
) -> Option<&'a [P::Compute]> {
    let values = values?;
    if is_computed_in::<P>() {
        // SAFETY: it is the same type.
        return Some(unsafe { &*(core::ptr::from_ref(values) as *const [P::Compute]) });
    }
    let (own, rest) = core::mem::take(memory).split_at_mut(values.len());
    *memory = rest;
    for (to, from) in own.iter_mut().zip(values) {
        *to = from.widen();
    }
    Some(own)
}

/// How much memory [`widened`] needs for these.
pub(crate) fn room<P: Element>(values: Option<&[P]>) -> usize {
    if is_computed_in::<P>() { 0 } else { values.map_or(0, <[P]>::len) }
}

fn is_computed_in<P: Element>() -> bool {
    TypeId::of::<P>() == TypeId::of::<P::Compute>()
}
