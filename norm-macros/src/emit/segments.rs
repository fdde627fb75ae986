//! Kernels over sets that lie in segments: channels of `[N, C, H, W]`.
//!
//! All numbers of a set are broadcast once; its segments, one for each row, are swept one after the other. Sums leave the
//! vectors to be added up in f64 after a number of elements that does not depend on how segments lie in memory, so neither does the
//! result, and before long chains of roundings come about.

use super::sweep::{Chunk, FOLD, fold_chains, folds, may_go_past_caches, sweep, sweep_folding, sweep_past_caches};
use super::{ask, compute_of, far_or_near, function, number, numbers, pointer, runtime, tensors};
use crate::model::{Len, Model, Role};
use crate::plan::{Pass, PassPlan, Schedule};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The kernel for segments of `len`.
pub fn segments(model: &Model, len: Len, plan: &PassPlan) -> TokenStream {
    let emitter = Segments { model, len, plan };
    let body = match plan.pass {
        Pass::Sums | Pass::GradientSums => emitter.sums(),
        _ => emitter.output(),
    };
    function(model, len, plan, &body)
}

struct Segments<'a> {
    model: &'a Model,
    len: Len,
    plan: &'a PassPlan,
}

impl Segments<'_> {
    fn centred(&self) -> bool {
        self.model.technique.centred
    }

    /// The tensors: where a segment of each starts.
    fn pointers(&self) -> TokenStream {
        tensors(self.plan.pass)
            .iter()
            .map(|name| {
                let (pointer, start) = (pointer(self.model, self.plan, name), format_ident!("{name}0"));
                let (set, row) = (format_ident!("{name}_set"), format_ident!("{name}_row"));
                quote!(let #start = #pointer.add(set * a.#set + row * a.#row);)
            })
            .collect()
    }

    /// For each set `before`, for each of its segments `segment`, then `after`.
    fn each_set(&self, before: &TokenStream, segment: &TokenStream, after: &TokenStream) -> TokenStream {
        let pointers = self.pointers();
        let numbers = numbers(self.model, self.plan.pass).into_iter().map(|(argument, variable)| {
            let (argument, variable) = (format_ident!("{argument}"), format_ident!("{variable}"));
            quote!(let #variable = v::splat(a.#argument.add(set).read());)
        });
        quote! {
            for set in 0..a.sets {
                #(#numbers)*
                #before
                for row in 0..a.rows {
                    #pointers
                    #segment
                }
                #after
            }
        }
    }

    /// An element of `x` less the mean, where that is subtracted.
    fn deviation(&self, chunk: &Chunk) -> TokenStream {
        let fill = if self.centred() { quote!(m) } else { quote!(v::zero()) };
        let value = self.load(chunk, "x", &fill);
        if self.centred() { quote!(v::sub(#value, m)) } else { value }
    }

    /// Elements of a tensor; where they only go into sums, in any order.
    fn load(&self, chunk: &Chunk, tensor: &str, fill: &TokenStream) -> TokenStream {
        let (io, from) = (quote!(x), format_ident!("{tensor}0"));
        match self.plan.pass {
            Pass::Sums | Pass::GradientSums => chunk.load_any(&io, &quote!(#from), fill),
            _ => chunk.load(&io, &quote!(#from), fill),
        }
    }

    fn sums(&self) -> TokenStream {
        let rt = runtime(self.model);
        let compute = compute_of(self.model);
        let schedule = &self.plan.schedule;
        let names: &[_] = if self.centred() { &[("s", "sum"), ("q", "square")] } else { &[("q", "square")] };
        let chains = |name: &str| (0..schedule.chains).map(|k| format_ident!("{name}{k}")).collect::<Vec<_>>();
        let declare = names.iter().flat_map(|(name, _)| chains(name)).map(|sum| quote!(let mut #sum = v::zero();));
        let declare: TokenStream = declare.collect();
        let fold = |again: bool| -> TokenStream {
            let each = names.iter().map(|(name, total)| {
                let (chains, total) = (chains(name), format_ident!("{total}"));
                let sum = fold_chains(chains.iter().map(|chain| quote!(#chain)).collect());
                let zero = again.then(|| quote!(#(#chains = v::zero();)*));
                quote!(#total += <#compute as #rt::Compute>::to_f64(v::sum(#sum)); #zero)
            });
            each.collect()
        };
        let gradient = self.plan.pass == Pass::GradientSums;
        let mut step = |chunk: &Chunk| {
            let (s, q) = (format_ident!("s{}", chunk.chain), format_ident!("q{}", chunk.chain));
            let deviation = self.deviation(chunk);
            if !gradient {
                let sum = self.centred().then(|| quote!(#s = v::add(#s, d);));
                return quote!(let d = #deviation; #sum #q = v::fma(d, d, #q););
            }
            let dy = self.load(chunk, "dy", &quote!(v::zero()));
            if self.centred() {
                quote! {
                    let d = #dy;
                    #s = v::add(#s, d);
                    #q = v::fma(d, v::fma(#deviation, k, o), #q);
                }
            } else {
                quote!(#q = v::fma(#dy, v::mul(#deviation, k), #q);)
            }
        };
        let inside = if folds(schedule, self.len, schedule.unroll) { fold(true) } else { TokenStream::new() };
        let sweep = sweep_folding(schedule, self.len, schedule.unroll, &inside, &mut step);
        let totals: Vec<_> = names.iter().map(|(_, total)| format_ident!("{total}")).collect();
        // Sums go on from where they were, so that it does not matter how rows are handed out.
        let start = quote!(#(let mut #totals: f64 = a.#totals.add(set).read();)*);
        let add = quote!(#(a.#totals.add(set).write(#totals);)*);
        let end = fold(false);
        match self.segments_a_fold() {
            1 => self.each_set(&start, &quote!(#declare #sweep #end), &add),
            most => {
                let (most, again) = (number(most), fold(true));
                self.each_set(
                    &quote!(#start #declare let mut pending = 0_usize;),
                    &quote! {
                        #sweep
                        pending += 1;
                        if pending == #most {
                            #again
                            pending = 0;
                        }
                    },
                    &quote!(#end #add),
                )
            }
        }
    }

    /// How many segments go by before their sums leave the vectors: several where they are short, which took half the time on
    /// channels of 32 x 7 x 7, but only where rows are evenly spaced in any tensor.
    fn segments_a_fold(&self) -> usize {
        let Schedule { lanes, chains, .. } = self.plan.schedule;
        let evenly = self.axes_of_segments() <= 1;
        match self.len {
            Len::Fixed(n) if evenly => (FOLD / n.div_ceil(lanes).div_ceil(chains)).max(1),
            _ => 1,
        }
    }

    /// The loops twice: with stores past the caches, and with plain ones.
    fn output(&self) -> TokenStream {
        let schedule = &self.plan.schedule;
        let none = TokenStream::new();
        let mut step = |chunk: &Chunk| {
            chunk.store_output(&quote!(y0), &self.value(chunk), self.plan.pass.adds(self.model.technique))
        };
        let rt = runtime(self.model);
        let near = sweep(schedule, &rt, self.len, schedule.unroll, &mut step);
        let near = self.each_set(&none, &near, &none);
        if self.model.technique.of_sum || !may_go_past_caches(self.plan, self.len) {
            return near;
        }
        let (to, more) = (quote!(y0), quote!(false));
        let far = sweep_past_caches(schedule, &rt, &to, &more, &self.next_flight(), &mut step);
        let far = self.each_set(&none, &far, &none);
        // Segments do not follow one another.
        far_or_near(&rt, &quote!(let mut line = #rt::cache::line(false); #far), &near)
    }

    /// Along how many axes a set's segments lie, with those of other sets between them; 0 where a set is one segment.
    fn axes_of_segments(&self) -> usize {
        let before = self.model.roles.iter().take_while(|role| **role != Role::Channel);
        before.filter(|role| **role == Role::Normalized).count()
    }

    /// Asks for the same element of the next flight, also where sets lie in one piece: group normalization of 4x320x64x64 was 1.15 times as
    /// fast, instance normalization of 8x64x128x128 1.3 times, its gradient 1.1 times.
    fn next_flight(&self) -> TokenStream {
        let rt = runtime(self.model);
        let read = tensors(self.plan.pass).iter().filter(|name| **name != "y");
        read.map(|name| {
            let (start, set) = (format_ident!("{name}0"), format_ident!("{name}_set"));
            ask(self.len, self.plan, &rt, &quote!(#start.wrapping_add(i + a.ahead * a.#set)))
        })
        .collect()
    }

    fn value(&self, chunk: &Chunk) -> TokenStream {
        let deviation = self.deviation(chunk);
        if self.plan.pass == Pass::Output {
            return if self.centred() { quote!(v::fma(#deviation, k, o)) } else { quote!(v::mul(#deviation, k)) };
        }
        let dy = chunk.load(&quote!(x), &quote!(dy0), &quote!(v::zero()));
        if self.centred() {
            quote!(v::fma(v::sub(#dy, u), k, v::fma(#deviation, l, o)))
        } else {
            quote!(v::fma(#dy, k, v::mul(#deviation, l)))
        }
    }
}
