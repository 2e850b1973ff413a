//! Is the page of any run well formed, complete, and free of what is not there?

mod common;

use common::Made;
use polytask_report::{Report, page, text};
use roxmltree::{Document, Node, ParsingOptions};

/// The page, after a check that it is well formed, holds no number that is none, no script, and no address to load.
fn checked(report: &Report) -> String {
    let page = page(report);
    let (doctype, xml) = page.split_once('\n').expect("the page has lines");
    assert_eq!(doctype, "<!DOCTYPE html>");
    let document = parse(xml);
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "link", "img", "iframe", "object"].contains(&name), "{name}");
        for attribute in node.attributes() {
            assert!(!["src", "href", "onload", "onclick"].contains(&attribute.name()), "{attribute:?}");
            let is_number = ["d", "x", "y", "cx", "cy", "x1", "y2", "viewBox"].contains(&attribute.name());
            assert!(!is_number || !attribute.value().contains(['N', 'i']), "{attribute:?}");
        }
        if name == "svg" {
            let drawn = node.descendants().filter(|inner| ["path", "rect"].contains(&inner.tag_name().name()));
            assert!(drawn.count() > 0, "a plot without a line or a square");
        }
        if ["table", "section", "figure", "tbody"].contains(&name) {
            assert!(node.children().any(|child| child.is_element()), "an empty {name}");
        }
    }
    page
}

fn parse(xml: &str) -> Document<'_> {
    let options = ParsingOptions { nodes_limit: 1_000_000, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options).unwrap_or_else(|error| panic!("{error}"))
}

/// The text of all elements of a name.
fn texts(page: &str, name: &str) -> Vec<String> {
    let document = parse(page.split_once('\n').expect("the page has lines").1);
    let nodes = document.descendants().filter(|node| node.tag_name().name() == name);
    nodes
        .map(|node| node.descendants().filter_map(|inner| inner.text().filter(|_| inner.is_text())).collect())
        .collect()
}

#[test]
fn a_whole_run_gives_all_sections() {
    let report = Made::of(5).write().report();
    let page = checked(&report);
    let sections = texts(&page, "h2");
    let expected = ["Scores", "Learning curves", "Trade-off between tasks", "Classes on test", "Cost", "Configuration"];
    assert_eq!(sections, expected);
    let parts = texts(&page, "h3").join("|");
    for part in ["task 1", "task 5", "Weights over time", "Conflicts over time", "Agreement of gradients"] {
        assert!(parts.contains(part), "{part}: {parts}");
    }
    assert!(page.contains("Kept the model of epoch 3 of 4 by worst-regret = 0.0125"));
    // Two plots a task, weights, conflicts, and the map of cosines.
    assert_eq!(texts(&page, "svg").len(), 5 * 2 + 3);
    // In the first table the kept model is each task's best.
    let first_table = &texts(&page, "table")[0];
    assert_eq!(first_table.matches('★').count(), 5, "{first_table}");
    assert!(texts(&page, "title").contains(&"task 2 and task 1: -0.25".to_owned()));
}

#[test]
fn warnings_stand_before_the_scores_in_every_form() {
    let run = Made::of(2).write();
    assert!(!text(&run.report()).contains("warnings") && !checked(&run.report()).contains("Warnings"));
    let told = r#"{"event":"warning","epoch":2,"step":20,"tasks":["task 1","task 2"],"kind":"conflict","cosine":-0.25,"against":9,"looks":10,"advice":["`a < b`"]}"#;
    let events = run.read("events.jsonl");
    run.write("events.jsonl", &events.replacen("{\"event\":\"end\"", &format!("{told}\n{{\"event\":\"end\""), 1));
    let report = run.report();
    let sentence = "`task 1` and `task 2` pull what they share in opposite directions (mean cosine of their gradients \
                    -0.25, below 0 in 9 of the last 10 looks); try `a < b`";
    assert!(text(&report).contains(&format!("\n\nwarnings\nepoch 2: {sentence}\n\nscores")), "{}", text(&report));
    let page = checked(&report);
    assert_eq!(texts(&page, "h2")[..2], ["Warnings", "Scores"]);
    assert!(texts(&page, "p").contains(&format!("Epoch 2: {}.", sentence.replace('`', ""))), "{page}");
    let json = serde_json::to_value(&report).expect("a report is JSON");
    assert_eq!((&json["warnings"][0]["sentence"], &json["warnings"][0]["against"]), (&sentence.into(), &9.into()));
}

#[test]
fn tables_say_the_same_in_text_and_on_the_page() {
    let report = Made::of(2).write().report();
    let (page, text) = (checked(&report), text(&report));
    for row in ["task 1  accuracy  0.7250*  0.7250      0.7250         3", "an epoch (median)", "label <1>"] {
        assert!(text.contains(row), "{row}\n{text}");
    }
    let cells: Vec<String> = texts(&page, "td").into_iter().map(|cell| cell.replace(" ★", "")).collect();
    for cell in ["0.7250", "1,200", "2.5 s", "400", "1,234", "worst-regret"] {
        let shown = cells.iter().any(|found| found == cell) || page.contains(cell);
        assert!(shown && text.contains(cell), "{cell}\n{text}");
    }
}

#[test]
fn the_best_task_is_marked_by_the_metrics_direction() {
    let text = text(&Made::of(3).write().report());
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("all metrics on test")).collect();
    // The third task has the highest accuracy and the lowest error.
    assert!(rows[2].ends_with("0.7250   0.2750"), "{rows:?}");
    assert!(rows[4].ends_with("0.7450*  0.2550*"), "{rows:?}");
}

#[test]
fn hostile_names_are_text_everywhere() {
    let hostile = "</td><script>alert(1)</script> & \"x\" 'y' ]]> \u{1b}[31m\u{0} 名前";
    let long = "n".repeat(300);
    let tasks = vec![hostile.to_owned(), "a<b>&amp;".to_owned(), long.clone(), String::new()];
    let run = Made { tasks, ..Made::of(0) }.write();
    run.write("config.toml", "name = \"</pre><script>&\"\n");
    let report = run.report();
    let page = checked(&report);
    assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    assert!(texts(&page, "th").contains(&"a<b>&amp;".to_owned()));
    assert!(texts(&page, "th").contains(&long));
    assert!(texts(&page, "pre")[0].contains("</pre><script>&"));
    let text = text(&report);
    assert!(text.contains("名前") && !text.contains(['\u{1b}', '\0']));
    let json = serde_json::to_value(&report).unwrap();
    assert!(json["tasks"][hostile]["best"].is_number());
}

#[test]
fn runs_of_any_size_give_a_sensible_page() {
    for tasks in [1, 2, 3, 9, 30] {
        for (epochs, looks) in [(1, 0), (1, 1), (2, 0), (5, 3)] {
            let made = Made { epochs, looks, ..Made::of(tasks) };
            let page = checked(&made.write().report());
            let sections = texts(&page, "h2");
            assert_eq!(sections.iter().any(|title| title.starts_with("Trade-off")), tasks > 1, "{tasks} tasks");
            assert_eq!(page.contains("One epoch is no curve yet."), epochs == 1);
            let maps = page.matches("mean cosine between the gradients of each pair").count();
            assert_eq!(maps, usize::from(tasks > 2 && looks > 0), "{tasks} tasks, {looks} looks");
        }
    }
}

#[test]
fn large_matrices_are_drawn_and_their_mistakes_listed() {
    let report = Made { classes: Some(40), ..Made::of(2) }.write().report();
    let page = checked(&report);
    assert_eq!(page.matches("confusion matrix: a row a gold class").count(), 2);
    assert!(text(&report).contains("most frequent mistakes of task 1 on test"));
    let none = Made { classes: None, ..Made::of(2) }.write().report();
    assert!(!checked(&none).contains("gold \\ predicted"));
}

#[test]
fn a_long_run_of_many_tasks_stays_small() {
    let made =
        Made { epochs: 30, looks: 60, classes: Some(50), splits: vec!["valid", "test", "test-unseen"], ..Made::of(16) };
    let page = checked(&made.write().report());
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert!(page.contains("Each point is the mean of 8 looks."), "1800 looks in at most 256 points");
}
