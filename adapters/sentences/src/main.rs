//! all-MiniLM-L6-v2 twice, with candle-nn's layer norm and with normkit's: how much alike their vectors are, and what each takes.
//!
//! `cargo run --release -p sentences -- --model DIR [sentence...]`; the README says how to get the folder.

use candle_core::Result;
use sentences::norms::{Candle, Normkit, Norms};
use sentences::{Encoder, cosines};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SENTENCES: [&str; 6] = [
    "A man is playing the guitar.",
    "Someone plays an instrument.",
    "The cat sleeps on the sofa.",
    "A kitten naps on a couch.",
    "Interest rates were raised by a quarter point.",
    "The central bank made borrowing more expensive.",
];

const USAGE: &str = "usage: sentences --model DIR [sentence...]";

/// How often each encoder takes its turn.
const TURNS: usize = 11;

struct Args {
    model: PathBuf,
    sentences: Vec<String>,
}

impl Args {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Args> {
        let (mut model, mut sentences) = (None, Vec::new());
        while let Some(arg) = args.next() {
            match &*arg {
                "--model" => model = Some(args.next()?.into()),
                option if option.starts_with('-') => return None,
                _ => sentences.push(arg),
            }
        }
        if sentences.is_empty() {
            sentences = SENTENCES.map(String::from).to_vec();
        }
        Some(Args { model: model?, sentences })
    }
}

/// The median time of a forward pass, and of the layer norms in it.
struct Times(Vec<(Duration, Duration)>);

impl Times {
    fn run<N: Norms>(&mut self, encoder: &Encoder<N>, tokens: &[candle_core::Tensor; 2]) -> Result<()> {
        encoder.clock.take();
        let start = Instant::now();
        encoder.encode(tokens)?;
        self.0.push((start.elapsed(), encoder.clock.take()));
        Ok(())
    }

    fn print(mut self, name: &str) {
        self.0.sort();
        let (all, norms) = self.0[self.0.len() / 2];
        let share = 100.0 * norms.as_secs_f64() / all.as_secs_f64();
        println!("    {name:10} {:9.2} ms, layer norm {:7.3} ms, {share:4.1} %", millis(all), millis(norms));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn run(args: &Args) -> Result<()> {
    let (candle, ours) = (Encoder::<Candle>::load(&args.model)?, Encoder::<Normkit>::load(&args.model)?);
    let sentences: Vec<&str> = args.sentences.iter().map(String::as_str).collect();
    let tokens = candle.tokens(&sentences)?;
    let (theirs, own) = (candle.encode(&tokens)?, ours.encode(&tokens)?);

    let alike = cosines(&theirs, &own)?.iter().enumerate().map(|(i, row)| row[i]).fold(1.0, f32::min);
    println!("vectors of both: cosine of at least {alike:.7}");
    println!("cosines between sentences, by {}:", Normkit::NAME);
    for (index, (row, sentence)) in cosines(&own, &own)?.iter().zip(&sentences).enumerate() {
        let row: Vec<String> = row.iter().map(|cosine| format!("{cosine:6.3}")).collect();
        println!("{index:3} {}  {sentence}", row.join(" "));
    }
    println!("a forward pass, medians of {TURNS}:");
    for batch in [1, 32] {
        let tokens = candle.tokens(&sentences.iter().copied().cycle().take(batch).collect::<Vec<_>>())?;
        println!("  batch of {batch}, {} tokens each", tokens[0].dim(1)?);
        let (mut theirs, mut own) = (Times(Vec::new()), Times(Vec::new()));
        for _ in 0..TURNS {
            theirs.run(&candle, &tokens)?;
            own.run(&ours, &tokens)?;
        }
        theirs.print(Candle::NAME);
        own.print(Normkit::NAME);
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    let Some(args) = Args::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return std::process::ExitCode::from(2);
    };
    match run(&args) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
