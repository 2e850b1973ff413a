//! How is the answer of a study laid out in tables?

use std::path::Path;

use indexmap::IndexMap;
use polytask::spec::study::Arm;
use polytask::study::{Agreement, Answer, ArmScore, End, Job, NamedGrouping, PairGain, Ran, Tried};

use super::study::next;
use super::table::{Table, count, duration, score};

/// Tasks with gains and verdicts, arms with their cost, relatedness, what was left out, and the recommendation.
pub fn text(answer: &Answer, seconds: &IndexMap<String, f64>, ran: &Ran, out: &Path) -> String {
    let mut parts = vec![tasks(answer), summary(answer), arms(answer, seconds, ran)];
    parts.extend(variants(answer));
    parts.extend(related(answer));
    let diverged = answer.diverged.keys().map(|id| format!("diverged and left out: {id}\n"));
    let not_run = answer.not_run.iter().map(|id| format!("not run, beyond the budget: {id}\n"));
    let left_out: String = diverged.chain(not_run).collect();
    parts.extend(Some(left_out).filter(|text| !text.is_empty()));
    parts.push(answer.recommendation.sentences.iter().map(|sentence| format!("{sentence}\n")).collect());
    parts.push(format!("answer and runs: {}\nrecommended: {}\n", out.display(), next(out)));
    parts.join("\n")
}

fn tasks(answer: &Answer) -> String {
    let header = [
        "task",
        "metric",
        "on",
        "separate",
        "95 % interval",
        "joint",
        "95 % interval",
        "gain",
        "95 % interval",
        "p, Holm",
        "verdict",
    ];
    let mut table = Table::new(header);
    for (name, task) in &answer.tasks {
        let arm = |arm: Arm| task.arms.get(arm.name());
        let mean = |arm: Option<&ArmScore>| score(arm.map(|arm| arm.mean));
        let interval = |arm: Option<&ArmScore>| {
            let interval = arm.and_then(|arm| arm.interval);
            interval.map_or_else(String::new, |interval| format!("{:.4} .. {:.4}", interval.low, interval.high))
        };
        let (separate, joint) = (arm(Arm::Separate), arm(Arm::Joint));
        let paired = task.comparison.paired;
        table.row([
            name.clone(),
            task.metric.clone().unwrap_or_default(),
            task.split.clone(),
            mean(separate),
            interval(separate),
            mean(joint),
            interval(joint),
            paired.map_or_else(String::new, |paired| format!("{:+.4}", paired.mean)),
            paired.map_or_else(String::new, |paired| {
                format!("{:+.4} .. {:+.4}", paired.interval.low, paired.interval.high)
            }),
            score(task.comparison.p_holm),
            task.comparison.verdict.name().to_owned(),
        ]);
    }
    format!(
        "joint against each task alone, {} seeds; a gain is positive where the joint network is better:\n{table}",
        answer.seeds.len()
    )
}

fn summary(answer: &Answer) -> String {
    let delta = answer.delta_m.map(|delta| {
        let interval = answer.delta_m_paired.map(|paired| {
            format!(" (95 % interval {:+.2} .. {:+.2} %)", 100.0 * paired.interval.low, 100.0 * paired.interval.high)
        });
        format!("delta-m {:+.2} %{}", 100.0 * delta, interval.unwrap_or_default())
    });
    let worst = answer.worst_task.as_ref().and_then(|name| {
        let gain = answer.tasks.get(name)?.relative_gain?;
        Some(format!("worst task `{name}` {:+.2} %", 100.0 * gain))
    });
    let said: Vec<String> = delta.into_iter().chain(worst).collect();
    if said.is_empty() { "delta-m: not known without both arms\n".to_owned() } else { said.join("; ") + "\n" }
}

fn arms(answer: &Answer, seconds: &IndexMap<String, f64>, ran: &Ran) -> String {
    let mut table = Table::new(["arm", "runs", "parameters", "time of a seed", "time of all"]);
    for arm in [Arm::Separate, Arm::Joint, Arm::Pairs, Arm::Transfer] {
        let complete = |(job, end): &&(Job, End)| job.arm == arm && matches!(end, End::Complete(_));
        let runs: Vec<&Job> = ran.ends.iter().filter(complete).map(|(job, _)| job).collect();
        if runs.is_empty() {
            continue;
        }
        let total: f64 = runs.iter().filter_map(|job| seconds.get(&job.id)).sum();
        let mut seeds: Vec<u64> = runs.iter().map(|job| job.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let parameters = answer.parameters.get(arm.name()).map_or_else(String::new, |&parameters| count(parameters));
        let figures = [duration(total / seeds.len() as f64), duration(total)];
        let start = [arm.name().to_owned(), runs.len().to_string(), parameters];
        table.row(start.into_iter().chain(figures));
    }
    table.to_string()
}

/// The variants that validation data chose among, where there were several.
fn variants(answer: &Answer) -> Option<String> {
    let mut table = Table::new(["arm", "balancer and optimizer", "delta-m, validation", "chosen"]);
    let mut add = |arm: &str, tried: &[Tried]| {
        for tried in tried.iter().filter(|_| tried.len() > 1) {
            let gain = tried.delta_m_valid.map_or_else(|| "-".to_owned(), |gain| format!("{:+.2} %", 100.0 * gain));
            table.row([arm.to_owned(), tried.variant.name(), gain, if tried.chosen { "yes" } else { "" }.to_owned()]);
        }
    };
    add("joint", &answer.joint);
    answer.tasks.iter().for_each(|(name, task)| add(&format!("separate {name}"), &task.separate));
    let several = answer.joint.len() > 1 || answer.tasks.values().any(|task| task.separate.len() > 1);
    several.then(|| format!("chosen on validation data, against the first of each arm:\n{table}"))
}

fn related(answer: &Answer) -> Vec<String> {
    let (found, mut parts) = (&answer.relatedness, Vec::new());
    if !found.cosines.is_empty() {
        let mut table = Table::new(["tasks", "and", "mean cosine", "conflict", "looks"]);
        for pair in &found.cosines {
            let [a, b] = pair.between.clone();
            let rate = format!("{:.0} %", 100.0 * pair.conflict_rate);
            table.row([a, b, format!("{:+.4}", pair.cosine), rate, pair.looks.to_string()]);
        }
        parts.push(format!("gradients in what tasks share, over the joint runs:\n{table}"));
    }
    parts.extend(gains(answer, &found.pair_gains, "two tasks together against alone", "with"));
    parts.extend(gains(
        answer,
        &found.transfer_gains,
        "a task that begins with another one's network against alone",
        "after",
    ));
    if !found.groupings.is_empty() {
        let lines: String = found.groupings.iter().map(grouping).collect();
        parts.push(format!("expected of pairs, not trained, by number of networks at most:\n{lines}"));
    }
    if !found.measures.is_empty() && !found.pair_gains.is_empty() {
        let mut table = Table::new(["measure", "pairs", "more runs", "Spearman", "Kendall"]);
        for measure in &found.measures {
            let figure = |of: fn(&Agreement) -> f64| {
                measure.agreement.as_ref().map_or_else(|| "-".to_owned(), |agreement| format!("{:+.2}", of(agreement)))
            };
            let counts = [measure.name.clone(), measure.pairs.to_string(), measure.runs.to_string()];
            table.row(counts.into_iter().chain([figure(|a| a.spearman), figure(|a| a.kendall)]));
        }
        parts.push(format!("how far measures put pairs in the order of what they gain together:\n{table}"));
    }
    parts
}

/// Gains of each task (rows) by each other one (columns) in percent.
fn gains(answer: &Answer, gains: &[PairGain], what: &str, preposition: &str) -> Option<String> {
    let names: Vec<&String> = answer.tasks.keys().collect();
    let mut table =
        Table::new(std::iter::once("task".to_owned()).chain(names.iter().map(|name| format!("{preposition} {name}"))));
    for task in &names {
        let cell = |partner: &&String| {
            let known = gains.iter().find(|gain| gain.task == **task && gain.partner == **partner);
            known.map_or_else(String::new, |gain| {
                format!("{:+.1}{}", 100.0 * gain.gain, if gain.predicted { " *" } else { "" })
            })
        };
        table.row(std::iter::once((*task).clone()).chain(names.iter().map(cell)));
    }
    let guessed =
        if gains.iter().any(|gain| gain.predicted) { "* not run: guessed from the other pairs\n" } else { "" };
    (!gains.is_empty()).then(|| format!("{what}, % on validation data:\n{table}{guessed}"))
}

fn grouping(grouping: &NamedGrouping) -> String {
    let networks = grouping.trains.iter().zip(&grouping.answers).map(|(trains, answers)| {
        let helpers: Vec<&str> = trains.iter().filter(|task| !answers.contains(task)).map(String::as_str).collect();
        let helped = if helpers.is_empty() { String::new() } else { format!(" helped by {}", helpers.join(", ")) };
        format!("{}{helped}", answers.join(", "))
    });
    let networks: Vec<String> = networks.collect();
    format!("  {}: {} ({:+.2} %)\n", networks.len(), networks.join(" | "), 100.0 * grouping.expected_delta_m)
}
