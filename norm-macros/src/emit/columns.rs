//! Kernels over sets that lie in columns: channels of `[N, H, W, C]`, and what is normalized over axis 1 of `[N, C, H, W]`.
//!
//! A tile of columns, some vectors wide, goes down the rows with its sums and numbers in registers. Columns up to a tile of a
//! number known at compile time are one tile exactly; others are cut into tiles of halving widths and a part.

use super::{function, may_stream, number, runtime, type_of};
use crate::model::{Affine, Form, Len, Model};
use crate::plan::{Pass, PassPlan};
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

    fn store(&self, io: &TokenStream, to: &TokenStream, value: &TokenStream, stream: bool) -> TokenStream {
        let at = self.at();
        match &self.count {
            None if stream => quote!(#io::stream(#to.add(#at), #value);),
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

    fn body(&self, len: Len) -> TokenStream {
        if self.sums() || self.model.technique.of_sum || !may_stream(self.model, len) {
            return self.tiles(len, false);
        }
        let (streaming, plain) = (self.tiles(len, true), self.tiles(len, false));
        quote!(if a.stream { #streaming } else { #plain })
    }

    /// All columns.
    fn tiles(&self, len: Len, stream: bool) -> TokenStream {
        let schedule = &self.plan.schedule;
        let any = self.any_columns(stream);
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
                let tile = self.tile(&parts, stream);
                quote! {
                    if a.sets == n {
                        let c = 0_usize;
                        #tile
                    } else {
                        #any
                    }
                }
            }
            _ => any,
        }
    }

    /// Any number of columns: tiles of halving widths, then a part.
    fn any_columns(&self, stream: bool) -> TokenStream {
        let schedule = &self.plan.schedule;
        let widths = std::iter::successors(Some(schedule.tile), |width| (*width > 1).then_some(width / 2));
        let whole = widths.map(|width| {
            let parts: Vec<_> =
                (0..width).map(|index| Part { index, offset: index * schedule.lanes, count: None }).collect();
            let tile = self.tile(&parts, stream);
            let columns = number(width * schedule.lanes);
            quote! {
                while a.sets - c >= #columns {
                    #tile
                    c += #columns;
                }
            }
        });
        let rest = self.tile(&[Part { index: 0, offset: 0, count: Some(quote!(a.sets - c)) }], stream);
        quote! {
            let mut c = 0_usize;
            #(#whole)*
            if c < a.sets {
                #rest
            }
        }
    }

    /// The numbers of a column: the argument and the variable.
    fn numbers(&self) -> Vec<(&'static str, &'static str)> {
        let all: &[_] = match self.plan.pass {
            Pass::Sums => &[("mean", "m")],
            Pass::Gradient => &[("mean", "m"), ("scale", "k"), ("slope", "l"), ("offset", "o"), ("centre", "u")],
            _ => &[("mean", "m"), ("scale", "k"), ("offset", "o")],
        };
        all.iter().copied().filter(|(name, _)| self.centred() || ["scale", "slope"].contains(name)).collect()
    }

    /// The sums of a column: the argument and the variable.
    fn totals(&self) -> &'static [(&'static str, &'static str)] {
        match (self.sums(), self.centred()) {
            (false, _) => &[],
            (true, true) => &[("column_sum", "s"), ("column_square", "q")],
            (true, false) => &[("column_square", "q")],
        }
    }

    /// One tile down all rows. Sums go on from where they were, so it does not matter how rows are handed out.
    fn tile(&self, parts: &[Part], stream: bool) -> TokenStream {
        let zero = quote!(v::zero());
        let mut before = TokenStream::new();
        let mut after = TokenStream::new();
        for part in parts {
            for (argument, variable) in self.numbers() {
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
        }
        let start = self.start();
        let steps: TokenStream = parts.iter().map(|part| self.step(part, stream)).collect();
        let end = self.end();
        quote! {
            #before
            for row in 0..a.rows {
                #start
                #steps
                #end
            }
            #after
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

    /// What a row starts with: its place in each tensor, its parameters, its partial gradients.
    fn start(&self) -> TokenStream {
        let rt = runtime(self.model);
        let param = type_of(self.model.param);
        let tensors: &[_] = match self.plan.pass {
            Pass::Sums => &["x"],
            Pass::Output => &["x", "y"],
            Pass::GradientSums => &["x", "dy"],
            _ => &["x", "dy", "y"],
        };
        let pointers = tensors.iter().map(|name| {
            let (pointer, start, row) =
                (format_ident!("{name}"), format_ident!("{name}0"), format_ident!("{name}_row"));
            quote!(let #start = a.#pointer.add(row * a.#row);)
        });
        let read = |name: &str| {
            let (argument, variable) = (format_ident!("{name}"), format_ident!("{}", &name[..1]));
            quote!(let #variable = v::splat(<#param as #rt::Element>::widen(a.#argument.add(row).read()));)
        };
        let weighted = self.by_row() && self.plan.pass != Pass::Sums;
        let weight = (weighted && self.model.affine >= Affine::Weight).then(|| read("weight"));
        let with_bias = weighted && self.plan.pass == Pass::Output && self.model.affine >= Affine::WeightAndBias;
        let bias = with_bias.then(|| read("bias"));
        let grads = self.row_grads().iter().map(|(argument, variable)| {
            let (argument, variable) = (format_ident!("{argument}"), format_ident!("{variable}"));
            quote!(let mut #variable = v::load(a.#argument.add(row * #rt::rows::PADDING));)
        });
        quote!(#(#pointers)* #weight #bias #(#grads)*)
    }

    fn end(&self) -> TokenStream {
        let rt = runtime(self.model);
        let grads = self.row_grads().iter().map(|(argument, variable)| {
            let (argument, variable) = (format_ident!("{argument}"), format_ident!("{variable}"));
            quote!(v::store(a.#argument.add(row * #rt::rows::PADDING), #variable);)
        });
        grads.collect()
    }

    fn deviation(&self, part: &Part) -> TokenStream {
        if self.centred() {
            let m = part.name("m");
            let value = part.load(&quote!(x), &quote!(x0), &quote!(#m));
            quote!(v::sub(#value, #m))
        } else {
            part.load(&quote!(x), &quote!(x0), &quote!(v::zero()))
        }
    }

    /// The gradient of the output times the weight.
    fn weighted(&self, d: &TokenStream) -> TokenStream {
        if self.by_row() && self.model.affine >= Affine::Weight { quote!(v::mul(#d, w)) } else { d.clone() }
    }

    /// One vector of a row.
    fn step(&self, part: &Part, stream: bool) -> TokenStream {
        let deviation = self.deviation(part);
        let [k, l, o, u, s, q] = ["k", "l", "o", "u", "s", "q"].map(|name| part.name(name));
        let centred = self.centred();
        let normalized = if centred { quote!(v::fma(#deviation, #k, #o)) } else { quote!(v::mul(#deviation, #k)) };
        let dy = || part.load(&quote!(x), &quote!(dy0), &quote!(v::zero()));
        let value = match self.plan.pass {
            Pass::Sums => {
                let sum = centred.then(|| quote!(#s = v::add(#s, d);));
                return quote!(let d = #deviation; #sum #q = v::fma(d, d, #q););
            }
            Pass::GradientSums => {
                let (dy, g) = (dy(), self.weighted(&quote!(d)));
                let sum = centred.then(|| quote!(#s = v::add(#s, g);));
                let grads = self.row_grads().iter().map(|(_, variable)| match *variable {
                    "dw" => quote!(dw = v::fma(d, h, dw);),
                    _ => quote!(db = v::add(db, d);),
                });
                return quote! {
                    let d = #dy;
                    let g = #g;
                    let h = #normalized;
                    #sum
                    #q = v::fma(g, h, #q);
                    #(#grads)*
                };
            }
            Pass::Gradient => {
                let g = self.weighted(&dy());
                if centred {
                    quote!(v::fma(v::sub(#g, #u), #k, v::fma(#deviation, #l, #o)))
                } else {
                    quote!(v::fma(#g, #k, v::mul(#deviation, #l)))
                }
            }
            _ => match self.model.affine {
                Affine::Weight if self.by_row() => quote!(v::mul(#normalized, w)),
                Affine::WeightAndBias if self.by_row() => quote!(v::fma(#normalized, w, b)),
                _ => normalized,
            },
        };
        let adds = self.model.technique.of_sum && self.plan.pass == Pass::Gradient;
        let value = if adds {
            // `x` is a parameter: its gradient is added to.
            let before = part.load(&quote!(x), &quote!(y0.cast_const()), &quote!(v::zero()));
            quote!(v::add(#value, #before))
        } else {
            value
        };
        part.store(&quote!(x), &quote!(y0), &value, stream)
    }
}
