//! Names of tensors: the spellings of a parameter, and names that are near one.

/// The spellings in use of each parameter, the one that is written first.
const SPELLINGS: &[&[&str]] = &[
    &["weight", "gamma", "scale"],
    &["bias", "beta", "shift"],
    &["running_mean", "moving_mean"],
    &["running_var", "moving_variance"],
    &[COUNT],
    &[LENGTHS, "parametrizations.weight.original0"],
    &[VECTORS, "parametrizations.weight.original1"],
];

/// How many batches running statistics have seen.
pub(super) const COUNT: &str = "num_batches_tracked";
/// The lengths of a weight's vectors.
pub(super) const LENGTHS: &str = "weight_g";
/// The vectors of a weight.
pub(super) const VECTORS: &str = "weight_v";

/// The spellings of the parameter in that field; of one that is not known, its own.
pub(super) fn spellings<'a>(field: &'a &'static str) -> &'a [&'static str] {
    SPELLINGS.iter().find(|spellings| spellings.contains(field)).copied().unwrap_or(std::slice::from_ref(field))
}

/// `name` below `prefix`.
pub(super) fn below(prefix: &str, name: &str) -> String {
    match prefix {
        "" => name.into(),
        _ if prefix.ends_with('.') => format!("{prefix}{name}"),
        _ => format!("{prefix}.{name}"),
    }
}

/// At most three of `names`, the nearest to one of `wanted` first.
pub(super) fn nearest<'a>(wanted: &[String], names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut best: Vec<(usize, &str)> = Vec::new();
    for name in names {
        let limit = if best.len() < 3 { usize::MAX } else { best[2].0 };
        let Some(distance) = wanted.iter().filter_map(|wanted| distance(wanted, name, limit)).min() else { continue };
        let at = best.partition_point(|(other, _)| *other <= distance);
        best.insert(at, (distance, name));
        best.truncate(3);
    }
    best.into_iter().map(|(_, name)| name).collect()
}

/// How many letters have to be put in, left out or replaced to make one name of the other; `None` if that is `limit` or more.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    if a.len().abs_diff(b.len()) >= limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
        if row.iter().all(|&least| least >= limit) {
            return None;
        }
    }
    row.last().copied().filter(|distance| *distance < limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("norm.weight", "norm.weight", 0),
            ("norm.weight", "norm.weights", 1),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
            ("model.norm.weight", "norm.weight", 6),
            ("aaa", "aa", 1),
        ] {
            assert_eq!(distance(a, b, usize::MAX), Some(expected), "{a} {b}");
            assert_eq!(distance(b, a, expected + 1), Some(expected), "{b} {a}");
            assert_eq!(distance(a, b, expected), None, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_come_first() {
        let names = ["lm_head.weight", "model.norm.weigh", "model.norm.bias", "norm.gamma", "x"];
        let wanted = ["model.norm.weight".to_string(), "model.norm.gamma".to_string()];
        assert_eq!(nearest(&wanted, names.into_iter()), ["model.norm.weigh", "model.norm.bias", "norm.gamma"]);
        assert!(nearest(&wanted, [].into_iter()).is_empty());
    }

    #[test]
    fn prefixes() {
        assert_eq!(below("", "weight"), "weight");
        assert_eq!(below("a.b", "weight"), "a.b.weight");
        assert_eq!(below("a.b.", "weight"), "a.b.weight");
        assert_eq!(spellings(&"beta"), ["bias", "beta", "shift"]);
        assert_eq!(spellings(&"else"), ["else"]);
    }
}
