//! Kernels over sets that lie in columns: channels of `[N, H, W, C]`, and what is normalized over axis 1 of `[N, C, H, W]`.
//!
//! Few columns, of a number known at compile time, are a tile that goes down the rows with its sums and numbers in registers. Any
//! others are swept along the rows, several rows together, with sums and numbers in the first-level cache: down the rows by tiles,
//! every row would be a jump that no prefetcher follows, which took twice the time beyond the caches. Several rows are several streams
//! there, each as short as a row, so those that come next are asked for as well: without, group normalization of 64x64 images of 320
//! channels took 1.4 times as long forward, 1.5 times backward.

use super::{
    ask, cast_before_weight, far_or_near, function, number, numbers, of_row, only_where_optimized, pointer, row_at,
    row_start, runtime, tensors, where_optimized,
};
use crate::model::{Affine, Form, Len, Model};
use crate::plan::{Isa, Pass, PassPlan};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// The kernel for columns, of which there are usually `len`.
pub fn columns(model: &Model, len: Len, plan: &PassPlan) -> TokenStream {
    let emitter = Columns { model, plan };
    function(model, len, plan, &emitter.body(len))
}

struct Columns<'a> {
    model: &'a Model,
    plan: &'a PassPlan,
}

/// One vector of a tile.
struct Part {
    index: usize,
    /// Its first column, from `c`.
    offset: usize,
    /// How many columns there are, where it is not a whole vector.
    count: Option<TokenStream>,
}

impl Part {
    fn name(&self, name: &str) -> Ident {
        format_ident!("{name}{}", self.index)
    }

    fn at(&self) -> TokenStream {
        let offset = number(self.offset);
        if self.offset == 0 { quote!(c) } else { quote!(c + #offset) }
    }

    fn load(&self, io: &TokenStream, from: &TokenStream, fill: &TokenStream) -> TokenStream {
        let at = self.at();
        match &self.count {
            None => quote!(#io::load(#from.add(#at))),
            Some(count) => quote!(#io::load_part(#from.add(#at), #count, #fill)),
        }
    }

    fn store(&self, io: &TokenStream, to: &TokenStream, value: &TokenStream, far: bool) -> TokenStream {
        let at = self.at();
        match &self.count {
            None if far => quote!(#io::stream(#to.add(#at), #value);),
            None => quote!(#io::store(#to.add(#at), #value);),
            Some(count) => quote!(#io::store_part(#to.add(#at), #value, #count);),
        }
    }
}

impl Columns<'_> {
    fn centred(&self) -> bool {
        self.model.technique.centred
    }

    /// Whether each row has parameters of its own.
    fn by_row(&self) -> bool {
        self.model.form() == Form::ColumnsByRow
    }

    fn sums(&self) -> bool {
        matches!(self.plan.pass, Pass::Sums | Pass::GradientSums)
    }

    /// Where rows of columns all start at a cache line, and the level has stores past the caches.
    fn may_stream(&self, len: Len) -> bool {
        let aligned = match len {
            Len::Fixed(n) => (n * self.plan.dtype.size()).is_multiple_of(64),
            Len::Runtime => true,
        };
        aligned && self.plan.isa != Isa::Portable
    }

    /// The loops twice: for what is beyond the caches, and for what is within.
    fn body(&self, len: Len) -> TokenStream {
        let is_tile = self.plan.schedule.tile > 0;
        if self.model.technique.of_sum || if self.sums() { is_tile } else { !self.may_stream(len) } {
            return self.tiles(len, false);
        }
        let (far, near) = (self.tiles(len, true), self.tiles(len, false));
        far_or_near(&runtime(self.model), &far, &near)
    }

    /// All columns.
    fn tiles(&self, len: Len, far: bool) -> TokenStream {
        let schedule = &self.plan.schedule;
        let any = self.any_columns(far);
        match len {
            // The runtime may take fewer columns at once than there are.
            Len::Fixed(n) if n <= schedule.tile * schedule.lanes => {
                let parts: Vec<_> = (0..n)
                    .step_by(schedule.lanes)
                    .enumerate()
                    .map(|(index, offset)| {
                        let count = (offset + schedule.lanes > n).then(|| number(n - offset).into_token_stream());
                        Part { index, offset, count }
                    })
                    .collect();
                let tile = self.tile(&parts, far);
                let tile = quote!(if a.sets == n { let c = 0_usize; #tile } else);
                where_optimized(&runtime(self.model), &tile, &quote!({ #any }))
            }
            _ => any,
        }
    }

    /// Any number of columns: blocks of rows, then rows one by one.
    fn any_columns(&self, far: bool) -> TokenStream {
        let rows = self.plan.schedule.rows;
        let blocks = (rows > 1).then(|| {
            let (block, rows) = (self.block(rows, far), number(rows));
            let blocks = quote! {
                while a.rows - row >= #rows {
                    #block
                    row += #rows;
                }
            };
            only_where_optimized(&runtime(self.model), &blocks)
        });
        let single = self.block(1, far);
        quote! {
            let mut row = 0_usize;
            #blocks
            while row < a.rows {
                #single
                row += 1;
            }
        }
    }

    /// `rows` rows from `row`, along all columns.
    fn block(&self, rows: usize, far: bool) -> TokenStream {
        let start: TokenStream = (0..rows).map(|r| self.start(r)).collect();
        let end: TokenStream = (0..rows).map(|r| self.end(r)).collect();
        let lanes = number(self.plan.schedule.lanes);
        let [whole, part] = [None, Some(quote!(a.sets - c))].map(|count| {
            let part = Part { index: 0, offset: 0, count };
            let (before, after) = self.numbers_and_totals(&part);
            let ahead = (far && rows > 1 && part.count.is_none()).then(|| self.ahead(rows));
            let (steps, stores): (Vec<_>, Vec<_>) = (0..rows).map(|r| self.step(&part, r, far)).unzip();
            quote!(#before #ahead #(#steps)* #(#stores)* #after)
        });
        quote! {
            #start
            let mut c = 0_usize;
            while a.sets - c >= #lanes {
                #whole
                c += #lanes;
            }
            if c < a.sets {
                #part
            }
            #end
        }
    }

    /// Asks for the same columns of the next `rows` rows.
    fn ahead(&self, rows: usize) -> TokenStream {
        let rt = runtime(self.model);
        let next = number(rows);
        let read = tensors(self.plan.pass).iter().filter(|name| **name != "y");
        read.flat_map(|name| (0..rows).map(move |r| (format_ident!("{name}{r}"), format_ident!("{name}_row"))))
            .map(|(start, row)| ask(Len::Runtime, self.plan, &rt, &quote!(#start.wrapping_add(c + #next * a.#row))))
            .collect()
    }

    /// The sums of a column: the argument and the variable.
    fn totals(&self) -> &'static [(&'static str, &'static str)] {
        match (self.sums(), self.centred()) {
            (false, _) => &[],
            (true, true) => &[("column_sum", "s"), ("column_square", "q")],
            (true, false) => &[("column_square", "q")],
        }
    }

    /// What is read of a column before its elements, and written after. Sums go on from where they were, so it does not matter how
    /// rows are handed out.
    fn numbers_and_totals(&self, part: &Part) -> (TokenStream, TokenStream) {
        let zero = quote!(v::zero());
        let (mut before, mut after) = (TokenStream::new(), TokenStream::new());
        for (argument, variable) in numbers(self.model, self.plan.pass) {
            let (argument, variable) = (format_ident!("{argument}"), part.name(variable));
            let value = part.load(&quote!(v), &quote!(a.#argument), &zero);
            before.extend(quote!(let #variable = #value;));
        }
        for (argument, variable) in self.totals() {
            let (argument, variable) = (format_ident!("{argument}"), part.name(variable));
            let value = part.load(&quote!(v), &quote!(a.#argument), &zero);
            before.extend(quote!(let mut #variable = #value;));
            after.extend(part.store(&quote!(v), &quote!(a.#argument), &quote!(#variable), false));
        }
        (before, after)
    }

    /// One tile down all rows.
    fn tile(&self, parts: &[Part], far: bool) -> TokenStream {
        let (before, after): (Vec<_>, Vec<_>) = parts.iter().map(|part| self.numbers_and_totals(part)).unzip();
        let (start, end) = (self.start(0), self.end(0));
        let steps: Vec<_> = parts.iter().map(|part| self.step(part, 0, far)).collect();
        let steps = steps.iter().map(|(step, store)| quote!(#step #store));
        quote! {
            #(#before)*
            for row in 0..a.rows {
                #start
                #(#steps)*
                #end
            }
            #(#after)*
        }
    }

    /// The gradients of a row's parameters: the argument and the variable.
    fn row_grads(&self) -> &'static [(&'static str, &'static str)] {
        match self.model.affine {
            _ if !self.by_row() || self.plan.pass != Pass::GradientSums => &[],
            Affine::None => &[],
            Affine::Weight => &[("dweight", "dw")],
            Affine::WeightAndBias => &[("dweight", "dw"), ("dbias", "db")],
        }
    }

    /// What row `r` from `row` starts with: its place in each tensor, its parameters, its partial gradients.
    fn start(&self, r: usize) -> TokenStream {
        let rt = runtime(self.model);
        let pointers = tensors(self.plan.pass).iter().map(|name| {
            let (pointer, start, row) =
                (pointer(self.model, self.plan, name), format_ident!("{name}{r}"), format_ident!("{name}_row"));
            let at = row_start(r, &quote!(a.#row));
            quote!(let #start = #pointer.add(#at);)
        });
        let read = |name: &str| of_row(self.model, name, &row_at(r), &format_ident!("{}{r}", &name[..1]));
        let weighted = self.by_row() && self.plan.pass != Pass::Sums;
        let weight = (weighted && self.model.affine >= Affine::Weight).then(|| read("weight"));
        let at = row_start(r, &quote!(#rt::rows::PADDING));
        let with_bias = weighted && self.plan.pass == Pass::Output && self.model.affine >= Affine::WeightAndBias;
        let bias = with_bias.then(|| read("bias"));
        let grads = self.row_grads().iter().map(|(argument, variable)| {
            let (argument, variable) = (format_ident!("{argument}"), format_ident!("{variable}{r}"));
            quote!(let mut #variable = v::load(a.#argument.add(#at));)
        });
        quote!(#(#pointers)* #weight #bias #(#grads)*)
    }

    fn end(&self, r: usize) -> TokenStream {
        let rt = runtime(self.model);
        let at = row_start(r, &quote!(#rt::rows::PADDING));
        let grads = self.row_grads().iter().map(|(argument, variable)| {
            let (argument, variable) = (format_ident!("{argument}"), format_ident!("{variable}{r}"));
            quote!(v::store(a.#argument.add(#at), #variable);)
        });
        grads.collect()
    }

    fn deviation(&self, part: &Part, r: usize) -> TokenStream {
        let x = format_ident!("x{r}");
        if self.centred() {
            let m = part.name("m");
            let value = part.load(&quote!(x), &quote!(#x), &quote!(#m));
            quote!(v::sub(#value, #m))
        } else {
            part.load(&quote!(x), &quote!(#x), &quote!(v::zero()))
        }
    }

    /// The gradient of the output times the weight.
    fn weighted(&self, d: &TokenStream, r: usize) -> TokenStream {
        let w = format_ident!("w{r}");
        if self.by_row() && self.model.affine >= Affine::Weight { quote!(v::mul(#d, #w)) } else { d.clone() }
    }

    /// One vector of row `r` from `row`: what is done with it, and how it is written, where it is. Whoever has several rows writes none of
    /// them before all have been read: loads wait for stores whose addresses agree in the lower 12 bits, as those of rows of 4096 bytes
    /// do. (In place, rows are their own.)
    fn step(&self, part: &Part, r: usize, far: bool) -> (TokenStream, TokenStream) {
        let deviation = self.deviation(part, r);
        let [w, b, dw, db, dy, y] = ["w", "b", "dw", "db", "dy", "y"].map(|name| format_ident!("{name}{r}"));
        let [k, l, o, u, s, q] = ["k", "l", "o", "u", "s", "q"].map(|name| part.name(name));
        let centred = self.centred();
        let normalized = if centred { quote!(v::fma(#deviation, #k, #o)) } else { quote!(v::mul(#deviation, #k)) };
        let dy = || part.load(&quote!(x), &quote!(#dy), &quote!(v::zero()));
        let value = match self.plan.pass {
            Pass::Sums => {
                let sum = centred.then(|| quote!(#s = v::add(#s, d);));
                return (quote!(let d = #deviation; #sum #q = v::fma(d, d, #q);), TokenStream::new());
            }
            Pass::GradientSums => {
                let (dy, g) = (dy(), self.weighted(&quote!(d), r));
                let sum = centred.then(|| quote!(#s = v::add(#s, g);));
                let grads = self.row_grads().iter().map(|(_, variable)| match *variable {
                    "dw" => {
                        let h = cast_before_weight(self.model, self.plan, quote!(h));
                        quote!(#dw = v::fma(d, #h, #dw);)
                    }
                    _ => quote!(#db = v::add(#db, d);),
                });
                let step = quote! {
                    let d = #dy;
                    let g = #g;
                    let h = #normalized;
                    #sum
                    #q = v::fma(g, h, #q);
                    #(#grads)*
                };
                return (step, TokenStream::new());
            }
            Pass::Gradient => {
                let g = self.weighted(&dy(), r);
                if centred {
                    quote!(v::fma(v::sub(#g, #u), #k, v::fma(#deviation, #l, #o)))
                } else {
                    quote!(v::fma(#g, #k, v::mul(#deviation, #l)))
                }
            }
            _ => {
                let normalized = cast_before_weight(self.model, self.plan, normalized);
                match self.model.affine {
                    Affine::Weight if self.by_row() => quote!(v::mul(#normalized, #w)),
                    Affine::WeightAndBias if self.by_row() => quote!(v::fma(#normalized, #w, #b)),
                    _ => normalized,
                }
            }
        };
        let z = format_ident!("z{r}");
        if self.plan.pass.adds(self.model.technique) {
            let before = part.load(&quote!(v), &quote!(#y.cast_const()), &quote!(v::zero()));
            let step = quote!(let #z = v::add(#value, #before););
            return (step, part.store(&quote!(v), &quote!(#y), &quote!(#z), far));
        }
        (quote!(let #z = #value;), part.store(&quote!(x), &quote!(#y), &quote!(#z), far))
    }
}
