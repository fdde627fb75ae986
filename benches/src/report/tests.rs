use super::*;
use crate::copies::{MEMCPY, VECTORS};
use crate::measure::WRONG;
use merge::merge;

fn time(contender: &str, role: Role, ns: f64) -> Time {
    Time { contender: contender.to_owned(), role, ns, low: ns, high: ns }
}

fn report(results: &[(&str, &[Time])]) -> Report {
    let results = results.iter().map(|(workload, times)| Measured {
        workload: (*workload).to_owned(),
        bytes: 1000,
        footprint: 1000,
        times: times.to_vec(),
    });
    let machine = Machine { levels: vec!["avx2".to_owned(), "portable".to_owned()], ..Machine::default() };
    Report { machine, effort: Effort { turns: 3, micros: 5 }, threads: 1, results: results.collect() }
}

fn own() -> Report {
    report(&[
        (
            "a",
            &[
                time("normkit avx2", Role::Normkit, 100.0),
                time("normkit portable", Role::Normkit, 200.0),
                time("normkit runtime-length", Role::Baseline, 90.0),
                time("generic", Role::Baseline, 800.0),
                time(MEMCPY, Role::Copy, 80.0),
                time(VECTORS, Role::Copy, 50.0),
                time("two sweeps", Role::Twice, 70.0),
                time("two streaming sweeps", Role::Twice, 75.0),
            ],
        ),
        (
            "b",
            &[
                time("normkit avx2", Role::Normkit, 10.0),
                time("generic", Role::Baseline, 20.0),
                time(MEMCPY, Role::Copy, 20.0),
                time(VECTORS, Role::Copy, 30.0),
            ],
        ),
    ])
}

#[test]
fn a_row_has_shares_and_times() {
    let summary = Summary::of(&own());
    let [a, b] = &summary.rows[..] else { panic!("{summary:?}") };
    assert_eq!((a.of_memcpy, b.of_memcpy), (0.8, 2.0));
    let limit = a.limit.as_ref().expect("there are copies");
    assert_eq!((limit.name.as_str(), limit.share, limit.of_memcpy), (VECTORS, 0.5, 1.6));
    assert_eq!(b.limit.as_ref().expect("there are copies").name, MEMCPY);
    assert_eq!((a.of_two_sweeps, b.of_two_sweeps), (Some(0.7), None));
    assert_eq!(summary.rivals, ["normkit runtime-length", "generic"]);
    assert_eq!((&a.times[..], &b.times[..]), (&[Some(0.9), Some(8.0)][..], &[None, Some(2.0)][..]));
    assert_eq!(a.levels, [Some(10.0), Some(5.0)]);
    assert_eq!((a.loses(), b.loses()), (true, false));
    assert_eq!(summary.lost_to(a), ["normkit runtime-length"]);
    // Of 8 and 2 times.
    assert!((summary.means[1].expect("there are two") - 4.0).abs() < 1e-9);
}

#[test]
fn json_comes_back_as_it_was() {
    let dir = std::env::temp_dir().join(format!("normkit-bench-{}", std::process::id()));
    let (report, summary) = (own(), Summary::of(&own()));
    let paths = write(&dir, "r<1>", &report, &summary).expect("the folder can be written");
    assert_eq!(Report::read(&paths[0]).expect("it is a report"), report);
    let [svg, html] = [&paths[1], &paths[2]].map(|path| fs::read_to_string(path).expect("it was written"));
    assert!(svg.starts_with("<svg") && svg.contains("portable"));
    assert!(html.contains("<svg") && html.contains("class=\"loss\"") && !html.contains("src="));
    let error = Report::read(&paths[1]).expect_err("a chart is no report").to_string();
    assert!(error.contains("r<1>.svg"), "{error}");
    fs::remove_dir_all(dir).expect("it is there");
}

#[test]
fn peers_of_other_processes_go_through_memcpy() {
    let wrong = time(&format!("theirs {WRONG}"), Role::Peer, 500.0);
    let others = report(&[("a", &[time("theirs", Role::Peer, 600.0), wrong, time(MEMCPY, Role::Copy, 160.0)])]);
    let (merged, summary) = merge(&[own(), others]).expect("they have a workload in common");
    // Their memcpy took twice as long as ours: so would theirs have here.
    assert_eq!(merged.results[0].of("theirs").expect("it is scaled").ns, 300.0);
    assert_eq!(summary.rivals, ["theirs", "theirs (wrong dx)"]);
    assert_eq!(summary.rows[0].best, Some(("theirs".to_owned(), 3.0)));
    assert_eq!((summary.rows.len(), &summary.rows[1].best), (2, &None));
    assert_eq!(summary.best_mean.map(|mean| (mean * 1e9).round() / 1e9), Some(3.0));
    assert_eq!(summary.machines.len(), 2);
}

#[test]
fn peers_beside_normkit_are_compared_with_it() {
    let beside = report(&[(
        "a",
        &[time("normkit avx2", Role::Normkit, 50.0), time("theirs", Role::Peer, 75.0), time(MEMCPY, Role::Copy, 1.0)],
    )]);
    let slower = report(&[("a", &[time("theirs", Role::Peer, 800.0), time(MEMCPY, Role::Copy, 80.0)])]);
    for reports in [[own(), beside.clone(), slower.clone()], [own(), slower, beside]] {
        let (_, summary) = merge(&reports).expect("they have a workload in common");
        // Of two measurements of one library the faster counts.
        assert_eq!(summary.rows[0].times, [Some(1.5)]);
    }
}

#[test]
fn a_merge_of_one_side_says_what_is_missing() {
    let others = report(&[("a", &[time("theirs", Role::Peer, 600.0), time(MEMCPY, Role::Copy, 160.0)])]);
    assert!(merge(&[others]).expect_err("ours is missing").to_string().contains("normkit"));
    assert!(merge(&[own()]).expect_err("theirs is missing").to_string().contains("another library"));
}
