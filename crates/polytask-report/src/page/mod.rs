//! How is a report laid out as one page? Plain HTML with SVG inside, no script, nothing from elsewhere.

mod classes;
mod curves;
pub(crate) mod parts;
mod trade;

use polytask_run::Status;

use crate::markup::{Element, element, text_element};
use crate::report::Report;
use crate::sheet::paragraph;
use crate::tables;
use parts::{details, note, section, table_element};

const STYLE: &str = include_str!("style.css");

/// Where the browser may load things from: nowhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Lays a report out as an HTML page. It is well-formed XML as well.
pub fn page(report: &Report) -> String {
    let main = element("main")
        .child(header(report))
        .children(warnings(report))
        .children(scores(report))
        .children(curves::section(report))
        .children(trade::section(report))
        .children(classes::section(report))
        .children(cost(report))
        .children(setup(report));
    whole(&report.name, main)
}

/// A page around its main part: its head, its style and nothing from elsewhere.
pub(crate) fn whole(name: &str, main: Element) -> String {
    let head = element("head")
        .child(element("meta").with("charset", "utf-8"))
        .child(element("meta").with("http-equiv", "Content-Security-Policy").with("content", POLICY))
        .child(element("meta").with("name", "viewport").with("content", "width=device-width, initial-scale=1"))
        .child(element("meta").with("name", "color-scheme").with("content", "light dark"))
        .child(text_element("title", format!("{name} - polytask report")))
        .child(element("style").style(STYLE));
    let root = element("html").with("xmlns", "http://www.w3.org/1999/xhtml").with("lang", "en");
    let mut out = String::from("<!DOCTYPE html>\n");
    root.child(head).child(element("body").child(main)).render(&mut out);
    out.push('\n');
    out
}

fn header(report: &Report) -> Element {
    let (class, status) = match report.status {
        Status::Running => ("status open", "running"),
        Status::Interrupted => ("status open", "interrupted"),
        Status::Failed => ("status bad", "failed"),
        Status::Complete => ("status good", "complete"),
    };
    let title = text_element("h1", &report.name).text(" ").child(text_element("span", status).class(class));
    let tasks = report.tasks.len();
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut facts = vec![counted(tasks, "task"), counted(report.epochs.len(), "epoch")];
    facts.extend(report.settings.get("balance.method").filter(|_| tasks > 1).map(|method| format!("balance {method}")));
    facts.extend(report.cost.parameters.map(|count| format!("{} parameters", crate::numbers::count(count))));
    let seconds = report.cost.train_seconds + report.cost.evaluation_seconds;
    facts.extend(report.cost.seconds_per_epoch.map(|_| crate::numbers::duration(seconds)));
    let verdict = text_element("p", &report.verdict).class("verdict");
    let facts = text_element("p", facts.join(" · ")).class("facts");
    element("header").child(title).child(verdict).child(facts)
}

fn warnings(report: &Report) -> Option<Element> {
    let told =
        report.warnings.iter().map(|told| paragraph(&format!("Epoch {}: {}.", told.warning.epoch, told.sentence)));
    (!report.warnings.is_empty()).then(|| section("Warnings").children(told))
}

fn scores(report: &Report) -> Option<Element> {
    if report.splits.is_empty() && report.tasks.is_empty() {
        return None;
    }
    let mut out = section("Scores");
    if report.splits.is_empty() {
        out = out.child(note("No epoch has been judged yet."));
    } else {
        let test = if report.splits.contains_key("test") {
            " Nothing was decided on test data."
        } else {
            " There are no test scores."
        };
        let unseen = if report.splits.contains_key("test-unseen") {
            " test-unseen leaves out the test examples whose text stands in a training set."
        } else {
            ""
        };
        out = out.child(note(&format!(
            "Each task by the metric that decides. ★: the kept model is the task's best of all epochs on validation \
             data.{test}{unseen}"
        )));
    }
    out = out.child(table_element(&tables::summary(report)));
    for (split, tasks) in &report.splits {
        let table = table_element(&tables::split(tasks));
        let marked = if tasks.len() > 1 { "★: the best task by each metric." } else { "" };
        out = out.child(details(&format!("All metrics on {split}"), [note(marked), table]));
    }
    Some(out)
}

fn cost(report: &Report) -> Option<Element> {
    let (cost, epochs) = (tables::cost(report), tables::epochs(report));
    if cost.rows.is_empty() && epochs.rows.is_empty() {
        return None;
    }
    let mut out = section("Cost").children((!cost.rows.is_empty()).then(|| table_element(&cost)));
    if !epochs.rows.is_empty() {
        out = out.child(details("Epoch by epoch", [table_element(&epochs)]));
    }
    Some(out)
}

fn setup(report: &Report) -> Option<Element> {
    let settings = Some(tables::settings(report)).filter(|settings| !settings.rows.is_empty());
    let config = Some(report.config.trim_end()).filter(|config| !config.is_empty());
    let config = config.map(|config| details("The whole configuration", [text_element("pre", config)]));
    let environment = tables::environment(report);
    let parts: Vec<Element> = settings
        .map(|table| table_element(&table))
        .into_iter()
        .chain(config)
        .chain(environment.map(|table| table_element(&table)))
        .collect();
    (!parts.is_empty()).then(|| section("Configuration").children(parts))
}
