//! Does `report` show what a genuine run left, as a page, as text and as JSON?

mod common;

use std::fs;

use common::{parse, read, run, small_project};

#[test]
fn a_trained_run_is_reported() {
    let folder = small_project("report");
    let (config, out) = (folder.join("small.toml"), folder.join("run"));
    let start = ["train".as_ref(), config.as_os_str(), "--out".as_ref(), out.as_os_str()];
    run(start.into_iter().chain(["--set".as_ref(), "balance.watch=2".as_ref()])).ok();
    let report = |more: &[&str]| {
        let arguments = ["report".to_owned(), out.display().to_string()].into_iter();
        run(arguments.chain(more.iter().map(|&argument| argument.to_owned())))
    };

    let place = out.join("report.html");
    assert_eq!(report(&[]).ok(), format!("{}\n", place.display()));
    let page = read(&place);
    let xml = page.strip_prefix("<!DOCTYPE html>\n").expect("a page of HTML");
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|error| panic!("{error}"));
    let titles: Vec<&str> =
        document.descendants().filter(|node| node.tag_name().name() == "h3").filter_map(|node| node.text()).collect();
    for title in ["movies", "products", "stars", "names", "Weights over time", "Agreement of gradients"] {
        assert!(titles.contains(&title), "{title}: {titles:?}");
    }

    // The figures are those of the run's own files.
    let (metrics, json) = (parse(&read(&out.join("metrics.json"))), report(&["--json"]).json());
    let text = report(&["--text"]).ok();
    for task in ["movies", "products", "stars", "names"] {
        let best = &metrics["best"][task];
        assert_eq!(json["tasks"][task]["best"], best["value"]);
        let metric = best["metric"].as_str().expect("a metric");
        let test = &metrics["splits"]["test"][task][metric];
        assert_eq!(&json["splits"]["test"][task][metric], test);
        let shown = format!("{:.4}", test.as_f64().expect("a score"));
        assert!(text.contains(&shown) && page.contains(&shown), "{task}: {shown}");
    }
    assert_eq!(
        json["epochs"].as_array().map(Vec::len),
        metrics["kept"]["epochs"].as_u64().map(|epochs| epochs as usize)
    );
    assert!(json["cost"]["parameters"].as_u64() > Some(0), "{}", json["cost"]);
    assert!(json["balance"]["looks"].as_u64() > Some(0), "{}", json["balance"]);

    let elsewhere = folder.join("page.html");
    report(&["--out", &elsewhere.display().to_string()]).ok();
    assert_eq!(fs::read(&elsewhere).expect("a page"), page.as_bytes());
    let both = report(&["--text", "--json"]);
    assert!(both.code == Some(2) && both.err.contains("cannot be used with"), "{}", both.err);

    let events = read(&out.join("events.jsonl"));
    fs::write(out.join("events.jsonl"), events.replacen("{\"event\":\"epoch\"", "{\"event\":", 1)).expect("a file");
    let damaged = report(&[]);
    assert!(damaged.code == Some(3) && damaged.err.contains("events.jsonl:"), "{}", damaged.err);
    assert_eq!(read(&place), page, "a report that fails leaves the old one");
    let none = run(["report".to_owned(), folder.join("nothing").display().to_string()]);
    assert!(none.code == Some(2) && none.err.contains("is no run directory"), "{}", none.err);
}
