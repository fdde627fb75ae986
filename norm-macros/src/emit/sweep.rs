//! One pass over the elements of a row, chunk by chunk.

use super::{number, only_where_optimized};
use crate::model::Len;
use crate::plan::{Isa, Pass, PassPlan, Schedule, Tail};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

/// A vector's worth of a row.
pub struct Chunk {
    /// Its first element.
    pub at: TokenStream,
    /// How many elements there are.
    pub extent: Extent,
    /// Its number in straight-line code.
    pub index: usize,
    /// The accumulator that it goes to.
    pub chain: usize,
}

/// How many elements a chunk has, and where it is written.
pub enum Extent {
    /// A whole vector.
    Whole,
    /// Fewer, as many as that says.
    Part(TokenStream),
    /// A whole vector that is written past the caches.
    Streamed,
    /// As many as that says of a row that is written so: they go to the variable `part`, which has room for a vector.
    Beside(TokenStream),
}

impl Chunk {
    /// Reads the chunk through the vocabulary module `io`; `fill` stands for what is not there.
    pub fn load(&self, io: &TokenStream, from: &TokenStream, fill: &TokenStream) -> TokenStream {
        let at = &self.at;
        match &self.extent {
            Extent::Whole | Extent::Streamed => quote!(#io::load(#from.add(#at))),
            Extent::Part(count) | Extent::Beside(count) => quote!(#io::load_part(#from.add(#at), #count, #fill)),
        }
    }

    /// As [`Chunk::load`], for sums over the elements, whose order does not matter.
    pub fn load_any(&self, io: &TokenStream, from: &TokenStream, fill: &TokenStream) -> TokenStream {
        let at = &self.at;
        match &self.extent {
            Extent::Whole => quote!(#io::load_any(#from.add(#at))),
            _ => self.load(io, from, fill),
        }
    }

    /// Writes what is computed; a gradient of a parameter, which `adds`, in the type that is computed in and to what is there.
    pub fn store_output(&self, to: &TokenStream, value: &TokenStream, adds: bool) -> TokenStream {
        if !adds {
            return self.store(&quote!(x), to, value);
        }
        let before = self.load(&quote!(v), to, &quote!(v::zero()));
        self.store(&quote!(v), to, &quote!(v::add(#value, #before)))
    }

    /// Writes the chunk.
    pub fn store(&self, io: &TokenStream, to: &TokenStream, value: &TokenStream) -> TokenStream {
        let at = &self.at;
        match &self.extent {
            Extent::Whole => quote!(#io::store(#to.add(#at), #value);),
            Extent::Part(count) => quote!(#io::store_part(#to.add(#at), #value, #count);),
            Extent::Streamed => quote!(#io::stream(#to.add(#at), #value);),
            Extent::Beside(_) => quote!(#io::store(part, #value);),
        }
    }
}

/// All chunks of a row, straight-line or in loops of `unroll` vectors, with `step` for each; no step depends on another.
pub fn sweep(
    schedule: &Schedule,
    rt: &TokenStream,
    len: Len,
    unroll: usize,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> TokenStream {
    sweep_with(schedule, len, unroll, &TokenStream::new(), Some(rt), step)
}

/// Whether rows or segments may be written past the caches: where the level has such stores, rows of a few vectors at least (a kernel
/// over them has a `line`), and segments that are so long that the lines at their ends, which go through the cache, are few.
pub fn may_go_past_caches(plan: &PassPlan, len: Len) -> bool {
    let least = if matches!(plan.pass, Pass::Forward | Pass::Backward) { 256 } else { 1024 };
    let long = match len {
        Len::Fixed(n) => n * plan.dtype.size() >= least,
        Len::Runtime => true,
    };
    long && plan.isa != Isa::Portable
}

/// What such a kernel starts with: `to` is the argument that it writes to.
pub fn declare_line(rt: &TokenStream, to: &TokenStream) -> TokenStream {
    let stride = format_ident!("{}_stride", to.to_string());
    only_where_optimized(rt, &quote!(let mut line = #rt::cache::line(a.#stride == n);))
}

/// Where such a kernel leaves a row to the careful one: what is left of the row before `to` goes into place.
pub fn put_line(rt: &TokenStream, to: &TokenStream) -> TokenStream {
    only_where_optimized(rt, &quote!(#rt::cache::put_line(&mut line, #to);))
}

/// All chunks of a row that is written past the caches, which only takes whole vectors that are aligned: what comes before the first and
/// after the last of them goes to memory beside, and from there into place. `step` is done with each chunk, `beside` with every whole vector;
/// `more` says whether rows follow.
///
/// One vector an iteration: it waits for memory anyway. (A loop over chunks that may be either took AVX2 1.2 times as long.) Where rows
/// follow one another, the end of one and the start of the next meet in `line` and are written together: through the cache, that line
/// would cost short rows more than all the others save (of 128 elements, 0.65 of `memcpy`'s speed against 1.4).
pub fn sweep_past_caches(
    schedule: &Schedule,
    rt: &TokenStream,
    to: &TokenStream,
    more: &TokenStream,
    beside: &TokenStream,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> TokenStream {
    let lanes = number(schedule.lanes);
    let mut step = |extent| step(&Chunk { at: quote!(i), extent, index: 0, chain: 0 });
    let (whole, part) = (step(Extent::Streamed), step(Extent::Beside(quote!(count))));
    quote! {
        let first = #rt::cache::to_aligned(#to, #lanes);
        let mut i = first;
        while n - i >= #lanes {
            #whole
            #beside
            i += #lanes;
        }
        let last = i;
        let mut count = n - last;
        loop {
            if count > 0 {
                let part = #rt::cache::part_at(&mut line, i);
                #part
            }
            if i == 0 {
                break;
            }
            i = 0;
            count = first;
        }
        if n - last + first > 0 {
            #rt::cache::end_row(&mut line, #to, n, #lanes, #more);
        }
    }
}

/// Iterations of a loop after which accumulators are folded: longer chains would lose more to rounding than the tree
/// that their sums go through (at 65536 elements of one size, 7e-6 of the sum without).
pub const FOLD: usize = 64;

/// Whether a sweep over a row is long enough to fold its accumulators on the way.
pub fn folds(schedule: &Schedule, len: Len, unroll: usize) -> bool {
    match len {
        Len::Fixed(n) => !schedule.keep && n / (unroll * schedule.lanes) > FOLD * 3 / 2,
        Len::Runtime => true,
    }
}

/// The number `end` for rows of `n`: `a.n` is `n`, but the compiler does not know. Otherwise it unrolls whole rows and spills.
fn hidden(n: usize, end: usize) -> TokenStream {
    let left = number(n - end);
    if n == end { quote!(a.n) } else { quote!(a.n - #left) }
}

/// As [`sweep`], with sums that steps add to, and `fold` every [`FOLD`] iterations of a long row.
pub fn sweep_folding(
    schedule: &Schedule,
    len: Len,
    unroll: usize,
    fold: &TokenStream,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> TokenStream {
    sweep_with(schedule, len, unroll, fold, None, step)
}

/// As [`sweep_folding`]; `apart` is the runtime's path where no step depends on another.
fn sweep_with(
    schedule: &Schedule,
    len: Len,
    unroll: usize,
    fold: &TokenStream,
    apart: Option<&TokenStream>,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> TokenStream {
    let block = number(FOLD * unroll * schedule.lanes);
    match len {
        Len::Fixed(n) if schedule.keep => straight(schedule, 0, n, step),
        Len::Fixed(n) => {
            let stride = unroll * schedule.lanes;
            let end = n / stride * stride;
            if end <= stride {
                return straight(schedule, 0, n, step);
            }
            let steps = advance(schedule, unroll, apart, step);
            let rest = straight(schedule, end, n, step);
            let end = hidden(n, end);
            let all = quote! {
                while i < stop {
                    #steps
                }
            };
            let all = if fold.is_empty() {
                quote!(let stop = end; #all)
            } else {
                quote! {
                    while i < end {
                        let stop = if end - i > #block { i + #block } else { end };
                        #all
                        #fold
                    }
                }
            };
            quote! {
                let end: usize = #end;
                let mut i = 0_usize;
                #all
                #rest
            }
        }
        Len::Runtime => {
            let steps = advance(schedule, unroll, apart, step);
            let single = advance(schedule, 1, None, step);
            let part = step(&Chunk { at: quote!(i), extent: Extent::Part(quote!(n - i)), index: 0, chain: 0 });
            let (lanes, stride) = (number(schedule.lanes), number(unroll * schedule.lanes));
            quote! {
                let mut i = 0_usize;
                while n - i >= #stride {
                    let stop = if n - i > #block { i + #block } else { n };
                    while stop - i >= #stride {
                        #steps
                    }
                    #fold
                }
                while n - i >= #lanes {
                    #single
                }
                if i < n {
                    #part
                }
            }
        }
    }
}

/// The second sweep over a row, in the direction that is planned.
pub fn output_sweep(
    schedule: &Schedule,
    rt: &TokenStream,
    len: Len,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> TokenStream {
    let unroll = schedule.unroll;
    if !schedule.reversed {
        return sweep(schedule, rt, len, unroll, step);
    }
    let (stride, lanes) = (unroll * schedule.lanes, number(schedule.lanes));
    let (first, others) = iteration(schedule, unroll, step);
    let farther = number(stride - schedule.lanes);
    let (farther, others) = (only_where_optimized(rt, &quote!(i -= #farther;)), only_where_optimized(rt, &others));
    let all = quote! {
        while i > 0 {
            #farther
            i -= #lanes;
            #first
            #others
        }
    };
    match len {
        Len::Fixed(n) => {
            let end = n / stride * stride;
            let rest = straight(schedule, end, n, step);
            let end = hidden(n, end);
            quote! {
                #rest
                let mut i: usize = #end;
                #all
            }
        }
        Len::Runtime => {
            let (single, _) = iteration(schedule, 1, step);
            let part = step(&Chunk { at: quote!(i), extent: Extent::Part(quote!(n - i)), index: 0, chain: 0 });
            let each = number(stride);
            quote! {
                let mut i = n - n % #lanes;
                if i < n {
                    #part
                }
                while i % #each != 0 {
                    i -= #lanes;
                    #single
                }
                #all
            }
        }
    }
}

/// The chunks of one iteration of a loop over `i`: the first, and the others.
fn iteration(
    schedule: &Schedule,
    unroll: usize,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> (TokenStream, TokenStream) {
    let mut chunk = |k: usize| {
        let offset = number(k * schedule.lanes);
        let at = if k == 0 { quote!(i) } else { quote!(i + #offset) };
        step(&Chunk { at, extent: Extent::Whole, index: k, chain: k % schedule.chains })
    };
    (chunk(0), (1..unroll).map(chunk).collect())
}

/// The chunks of one iteration, and the step to the next; where they are `apart`, one chunk is an iteration as good.
fn advance(
    schedule: &Schedule,
    unroll: usize,
    apart: Option<&TokenStream>,
    step: &mut dyn FnMut(&Chunk) -> TokenStream,
) -> TokenStream {
    let (first, others) = iteration(schedule, unroll, step);
    let Some(rt) = apart.filter(|_| unroll > 1) else {
        let stride = number(unroll * schedule.lanes);
        return quote!(#first #others i += #stride;);
    };
    let (lanes, farther) = (number(schedule.lanes), number((unroll - 1) * schedule.lanes));
    let others = only_where_optimized(rt, &quote!(#others i += #farther;));
    quote!(#first #others i += #lanes;)
}

/// The chunks from element `from` to `n`, one after the other.
fn straight(schedule: &Schedule, from: usize, n: usize, step: &mut dyn FnMut(&Chunk) -> TokenStream) -> TokenStream {
    (from..n)
        .step_by(schedule.lanes)
        .enumerate()
        .map(|(index, at)| {
            let extent = match schedule.tail {
                Tail::Part(count) if at + schedule.lanes > n => Extent::Part(number(count).into_token_stream()),
                _ => Extent::Whole,
            };
            step(&Chunk { at: number(at).into_token_stream(), extent, index, chain: index % schedule.chains })
        })
        .collect()
}

/// The sums over a block of rows: for each row and sum its chains, and in long rows what has been folded of them.
pub struct Sums<'a> {
    schedule: &'a Schedule,
    len: Len,
    unroll: usize,
    names: &'static [&'static str],
    rows: usize,
}

impl<'a> Sums<'a> {
    /// Sums of these names, in a sweep of `unroll` vectors an iteration.
    pub fn new(schedule: &'a Schedule, len: Len, unroll: usize, names: &'static [&'static str], rows: usize) -> Self {
        Sums { schedule, len, unroll, names, rows }
    }

    fn folds(&self) -> bool {
        folds(self.schedule, self.len, self.unroll)
    }

    fn chains(&self, name: &str, r: usize) -> Vec<TokenStream> {
        let chains = (0..self.schedule.chains).map(|k| format_ident!("{name}{r}_{k}"));
        chains.map(|chain| quote!(#chain)).collect()
    }

    fn folded(name: &str, r: usize) -> TokenStream {
        let folded = format_ident!("{name}{r}_folded");
        quote!(#folded)
    }

    fn each(&self, of: impl Fn(&'static str, usize) -> TokenStream) -> TokenStream {
        (0..self.rows)
            .flat_map(|r| self.names.iter().map(move |name| (*name, r)))
            .map(|(name, r)| of(name, r))
            .collect()
    }

    /// All of them, zero.
    pub fn declare(&self) -> TokenStream {
        self.each(|name, r| {
            let folded = self.folds().then(|| Self::folded(name, r));
            let all = self.chains(name, r).into_iter().chain(folded);
            all.map(|sum| quote!(let mut #sum = v::zero();)).collect()
        })
    }

    /// The sweep that adds to them.
    pub fn sweep(&self, step: &mut dyn FnMut(&Chunk) -> TokenStream) -> TokenStream {
        let fold = self.each(|name, r| {
            let (folded, chains) = (Self::folded(name, r), self.chains(name, r));
            let sum = fold_chains(chains.clone());
            quote!(#folded = v::add(#folded, #sum); #(#chains = v::zero();)*)
        });
        let fold = if self.folds() { fold } else { TokenStream::new() };
        sweep_folding(self.schedule, self.len, self.unroll, &fold, step)
    }

    /// The sums of that name, one scalar for each row.
    pub fn total(&self, name: &str) -> TokenStream {
        let rows: Vec<_> = (0..self.rows)
            .map(|r| {
                let chains = fold_chains(self.chains(name, r));
                if self.folds() {
                    let folded = Self::folded(name, r);
                    quote!(v::add(#folded, #chains))
                } else {
                    chains
                }
            })
            .collect();
        sums(&rows)
    }
}

/// The sum of a row's chains, in a fixed tree.
pub fn fold_chains(mut names: Vec<TokenStream>) -> TokenStream {
    while names.len() > 1 {
        let half = names.len().div_ceil(2);
        let upper = names.split_off(half);
        for (lower, upper) in names.iter_mut().zip(upper) {
            *lower = quote!(v::add(#lower, #upper));
        }
    }
    names.pop().unwrap_or_default()
}

/// Four scalars from one vector for each row: the sums of its lanes. With fewer rows the last is repeated.
pub fn sums(rows: &[TokenStream]) -> TokenStream {
    match rows {
        [a, b, c, d] => quote!(v::sum4(#a, #b, #c, #d)),
        [a] => quote!([v::sum(#a); 4]),
        rows => {
            let sums: Vec<_> = rows.iter().map(|row| quote!(v::sum(#row))).collect();
            let (first, last) = (&sums[0], &sums[1]);
            quote!({
                let last = #last;
                [#first, last, last, last]
            })
        }
    }
}

/// Code for blocks of `rows` rows, where also the condition `and` holds, then for rows one by one: `block(rows)` gives each.
///
/// A block ends with `continue` if it has done its rows; rows that it has not done are taken one by one.
pub fn blocks(
    rt: &TokenStream,
    rows: usize,
    and: &TokenStream,
    block: &mut dyn FnMut(usize) -> TokenStream,
) -> TokenStream {
    let single = block(1);
    if rows == 1 {
        return quote! {
            let mut row = 0_usize;
            while row < a.rows {
                #single
                row += 1;
            }
        };
    }
    let together = block(rows);
    let rows = number(rows);
    let together = only_where_optimized(rt, &quote!(if a.rows - row >= #rows #and { #together }));
    quote! {
        let mut row = 0_usize;
        while row < a.rows {
            #together
            let stop = ::core::cmp::Ord::min(a.rows, row + #rows);
            while row < stop {
                { #single }
                row += 1;
            }
        }
    }
}
