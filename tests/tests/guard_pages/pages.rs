//! Memory between two pages that fault.

use core::ffi::c_void;
use core::ptr::null_mut;
use normkit::Element;
use normkit_tests::sound::Memory;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use rustix::param::page_size;

/// Which of the two pages the elements touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one before them.
    Before,
    /// The one after them.
    After,
}

/// What lies in the memory that is not taken, on the side without a page that faults.
const CANARY: u8 = 0xa5;

/// How much of that is looked at.
const WATCHED: usize = 256;

/// Some pages that may be read and written, after one and before one that may not.
pub struct Pages {
    base: *mut u8,
    /// Of what may be read and written.
    bytes: usize,
    side: Side,
    /// Where the canaries are, as offsets into that.
    watched: core::ops::Range<usize>,
}

impl Pages {
    /// Room for so many bytes, and some canaries.
    pub fn new(bytes: usize) -> Self {
        let page = page_size();
        let bytes = (bytes + WATCHED).next_multiple_of(page);
        // SAFETY: a new mapping, at an address that the system chooses; the protection of all but its first and last page is
        // changed before anything refers to it.
        let base = unsafe {
            let base = mmap_anonymous(null_mut(), bytes + 2 * page, ProtFlags::empty(), MapFlags::PRIVATE)
                .expect("there is memory for pages");
            let inner = base.cast::<u8>().add(page);
            mprotect(inner.cast(), bytes, MprotectFlags::READ | MprotectFlags::WRITE).expect("pages can be opened");
            inner
        };
        Pages { base, bytes, side: Side::After, watched: 0..0 }
    }

    /// From the next slice on, elements touch that side.
    pub fn touch(&mut self, side: Side) {
        self.side = side;
    }

    /// Whether nothing was written beside the slice taken last, where that does not fault.
    pub fn is_intact(&self) -> bool {
        // SAFETY: the range is within what may be read, and the slice that was taken is no longer borrowed.
        let watched = unsafe { core::slice::from_raw_parts(self.base.add(self.watched.start), self.watched.len()) };
        watched.iter().all(|&byte| byte == CANARY)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let page = page_size();
        // SAFETY: this is the mapping that `new` has made, and no slice of it is borrowed any more.
        let freed = unsafe { munmap(self.base.sub(page).cast::<c_void>(), self.bytes + 2 * page) };
        freed.expect("a mapping of our own can be given back");
    }
}

impl Memory for Pages {
    type Of<'a, T: Element> = &'a mut [T];

    fn take<T: Element>(&mut self, values: &[T]) -> &mut [T] {
        let len = size_of_val(values);
        assert!(len + WATCHED <= self.bytes, "{len} bytes in pages of {}", self.bytes);
        let (start, watched) = match self.side {
            Side::Before => (0, len..len + WATCHED),
            Side::After => (self.bytes - len, self.bytes - len - WATCHED..self.bytes - len),
        };
        self.watched = watched.clone();
        // SAFETY: both ranges are within what may be written; the elements' is aligned, as pages are and `len` is a multiple of their
        // size; they are initialized before the slice is made, which borrows the pages.
        unsafe {
            self.base.add(watched.start).write_bytes(CANARY, watched.len());
            let data = self.base.add(start).cast::<T>();
            data.copy_from_nonoverlapping(values.as_ptr(), values.len());
            core::slice::from_raw_parts_mut(data, values.len())
        }
    }
}
