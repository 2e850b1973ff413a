//! How is the answer of a study laid out, as text and as a page?

use indexmap::IndexMap;
use polytask::report::{Drawing, IntervalRow, Sheet, SheetSection, SheetTable, Square};
use polytask::spec::study::Arm;
use polytask::study::{Agreement, Answer, ArmScore, Cost, PairGain, Tried};

use super::relatedness_sheet;
use super::study::short_duration as duration;
use super::table::{count, score};

/// Tasks with gains and verdicts, arms with their cost, relatedness, what was left out, and the recommendation.
pub fn sheet(name: &str, answer: &Answer, costs: &IndexMap<String, Cost>) -> Sheet {
    let mut sections = vec![tasks(answer)];
    sections.extend(equal_size(answer));
    sections.push(arms(answer, costs));
    sections.extend(variants(answer));
    sections.extend(cosines(answer));
    sections.extend(gains(answer, &answer.relatedness.pair_gains, "two tasks together against alone", "with"));
    let what = "a task that begins with another one's network against alone";
    sections.extend(gains(answer, &answer.relatedness.transfer_gains, what, "after"));
    sections.extend(groupings(answer));
    sections.extend(trained_groups(answer));
    sections.extend(relatedness_sheet::sections(answer));
    sections.extend(measures(answer));
    sections.extend(left_out(answer));
    let seeds = if answer.seeds.len() == 1 { "seed" } else { "seeds" };
    let mut facts = vec![format!("{} tasks", answer.tasks.len()), format!("{} {seeds}", answer.seeds.len())];
    facts.push(format!("{} runs", answer.runs.values().sum::<usize>()));
    facts.push(duration(costs.values().map(|cost| cost.seconds).sum()));
    let sentences = answer.recommendation.sentences.iter().cloned().chain([summary(answer)]).collect();
    Sheet { name: name.to_owned(), sentences, facts, sections }
}

/// Rows that a table of runs or pairs may have before it is shortened.
const ROWS_MAX: usize = 20;

pub(super) fn section(title: impl Into<String>, note: impl Into<String>, table: SheetTable) -> SheetSection {
    SheetSection { title: title.into(), note: note.into(), table, drawing: Drawing::None }
}

pub(super) fn table<S: ToString>(names: &[S], figures: &[S]) -> SheetTable {
    let texts = |columns: &[S]| columns.iter().map(S::to_string).collect();
    SheetTable { names: texts(names), figures: texts(figures), rows: Vec::new() }
}

fn tasks(answer: &Answer) -> SheetSection {
    let figures =
        ["separate", "95 % interval", "joint", "95 % interval", "gain", "95 % interval", "p, Holm", "over examples"];
    let mut table = table(&["task", "verdict", "metric", "on"], &figures);
    let mut rows = Vec::new();
    let metrics: Vec<_> = answer.tasks.values().map(|task| &task.metric).collect();
    let same_metric = metrics.windows(2).all(|pair| pair[0] == pair[1]);
    for (name, task) in &answer.tasks {
        let arm = |arm: Arm| task.arms.get(arm.name());
        let mean = |arm: Option<&ArmScore>| score(arm.map(|arm| arm.mean));
        let interval = |arm: Option<&ArmScore>| {
            let interval = arm.and_then(|arm| arm.interval);
            interval.map_or_else(String::new, |interval| format!("{:.4} .. {:.4}", interval.low, interval.high))
        };
        let (separate, joint, paired) = (arm(Arm::Separate), arm(Arm::Joint), task.comparison.paired);
        let verdict = task.comparison.verdict.name().to_owned();
        let of_paired =
            |write: fn(&polytask::study::statistics::Paired) -> String| paired.as_ref().map_or_else(String::new, write);
        table.rows.push(vec![
            name.clone(),
            verdict.clone(),
            task.metric.clone().unwrap_or_default(),
            task.split.clone(),
            mean(separate),
            interval(separate),
            mean(joint),
            interval(joint),
            of_paired(|paired| format!("{:+.4}", paired.mean)),
            of_paired(|paired| format!("{:+.4} .. {:+.4}", paired.interval.low, paired.interval.high)),
            task.comparison
                .p_holm
                .map_or_else(String::new, |p| if p < 1e-4 { "< 0.0001".to_owned() } else { format!("{p:.4}") }),
            task.bootstrap_examples
                .map_or_else(String::new, |interval| format!("{:+.4} .. {:+.4}", interval.low, interval.high)),
        ]);
        // Gains in different metrics have no axis in common: they are drawn relative to the score alone.
        let unit = match same_metric {
            true => Some(1.0),
            false => separate.map(|arm| 100.0 / arm.mean.abs()).filter(|unit| unit.is_finite()),
        };
        rows.extend(paired.zip(unit).map(|(paired, unit)| IntervalRow {
            name: name.clone(),
            value: unit * paired.mean,
            interval: [unit * paired.interval.low, unit * paired.interval.high],
            verdict,
        }));
    }
    let note = "A gain is positive where the joint network is better. Intervals are over seeds; p is corrected over tasks. \
         Over examples: where the gain of these very networks lies, as the paired bootstrap draws other examples.";
    let what = match metrics[..] {
        [Some(metric), ..] if same_metric => format!("gain in {metric} with its interval"),
        _ => "gain in % of the score alone, with its interval".to_owned(),
    };
    let drawing = Drawing::Intervals { what, rows };
    let compared = answer.tasks.values().any(|task| !task.comparison.gains.is_empty());
    let title = if compared { "joint against each task alone" } else { "scores of the tasks" };
    SheetSection { drawing, ..section(title, note, table) }
}

/// Gains over separate networks of equal total size, where these were run.
fn equal_size(answer: &Answer) -> Option<SheetSection> {
    let mut table = table(&["task", "verdict"], &["equal size", "joint", "gain", "95 % interval"]);
    for (name, task) in &answer.tasks {
        let Some(comparison) = &task.equal_size else { continue };
        let mean = |arm: Arm| score(task.arms.get(arm.name()).map(|arm| arm.mean));
        let gain = comparison.paired.map(|paired| {
            [format!("{:+.4}", paired.mean), format!("{:+.4} .. {:+.4}", paired.interval.low, paired.interval.high)]
        });
        let row = [name.clone(), comparison.verdict.name().to_owned(), mean(Arm::EqualSize), mean(Arm::Joint)];
        table.rows.push(row.into_iter().chain(gain.unwrap_or_default()).collect());
    }
    let note =
        "Each task alone in a narrower network: their layers together are as large as those of the joint network.";
    (!table.rows.is_empty()).then(|| section("joint against separate networks of equal total size", note, table))
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
    if said.is_empty() {
        "delta-m: not known without both arms.".to_owned()
    } else {
        format!("Joint: {}.", said.join("; "))
    }
}

fn arms(answer: &Answer, costs: &IndexMap<String, Cost>) -> SheetSection {
    let mut table = table(&["arm"], &["runs", "parameters", "time of a seed", "time of all", "peak memory"]);
    for (arm, runs) in &answer.runs {
        let is_of = |id: &&String| arm_of_run(id).is_some_and(|of| of.name() == arm);
        let of_arm = || costs.iter().filter(|(id, _)| is_of(id)).map(|(_, cost)| cost);
        let total: f64 = of_arm().map(|cost| cost.seconds).sum();
        let peak = of_arm().filter_map(|cost| cost.peak_memory_bytes).max();
        let peak = peak.map_or_else(String::new, |bytes| format!("{} MiB", bytes >> 20));
        let parameters = answer.parameters.get(arm).map_or_else(String::new, |&parameters| count(parameters));
        let each = duration(total / answer.seeds.len().max(1) as f64);
        table.rows.push(vec![arm.clone(), runs.to_string(), parameters, each, duration(total), peak]);
    }
    let note = "Peak memory is what the process had resident at most during a run of the arm, data included; with several workers, of all \
                runs at the time.";
    section("cost of the arms", note, table)
}

/// The arm of a run's name.
fn arm_of_run(id: &str) -> Option<Arm> {
    match id.split('.').next()? {
        "separate" => Some(Arm::Separate),
        "equal-size" => Some(Arm::EqualSize),
        "joint" => Some(Arm::Joint),
        "pair" => Some(Arm::Pairs),
        "group" => Some(Arm::Groups),
        "transfer" => Some(Arm::Transfer),
        _ => None,
    }
}

/// The variants that validation data chose among, where there were several.
fn variants(answer: &Answer) -> Option<SheetSection> {
    let mut table = table(&["arm", "balancer and optimizer", "chosen"], &["delta-m, validation"]);
    let mut add = |arm: &str, tried: &[Tried]| {
        for tried in tried.iter().filter(|_| tried.len() > 1) {
            let gain = tried.delta_m_valid.map_or_else(|| "-".to_owned(), |gain| format!("{:+.2} %", 100.0 * gain));
            let chosen = if tried.chosen { "yes" } else { "" };
            table.rows.push(vec![arm.to_owned(), tried.variant.name(), chosen.to_owned(), gain]);
        }
    };
    add("joint", &answer.joint);
    answer.tasks.iter().for_each(|(name, task)| add(&format!("separate {name}"), &task.separate));
    let note = "Each against the first one of its arm.";
    (!table.rows.is_empty()).then(|| section("chosen on validation data", note, table))
}

fn cosines(answer: &Answer) -> Option<SheetSection> {
    let found = &answer.relatedness.cosines;
    let names: Vec<String> = answer.tasks.keys().cloned().collect();
    let mut square = vec![vec![None; names.len()]; names.len()];
    let mut table = table(&["task", "and"], &["mean cosine", "conflict", "looks"]);
    let mut rows = Vec::new();
    for pair in found {
        let [a, b] = &pair.between;
        let rate = format!("{:.0} %", 100.0 * pair.conflict_rate);
        let row = vec![a.clone(), b.clone(), format!("{:+.4}", pair.cosine), rate, pair.looks.to_string()];
        rows.push((pair.cosine, row));
        let place = |task: &String| names.iter().position(|name| name == task);
        if let Some((a, b)) = place(a).zip(place(b)) {
            (square[a][b], square[b][a]) = (Some(pair.cosine), Some(pair.cosine));
        }
    }
    let mut note = "Mean over the joint runs of the cosine between two tasks' gradients in what they share; conflict: share of looks in which it was negative.".to_owned();
    (table.rows, note) = told_pairs(rows, note);
    let drawing = Drawing::Square(Square {
        what: "mean cosine between the gradients of each pair of tasks".into(),
        link: "and".into(),
        signs: ["agree", "disagree"].map(String::from),
        names,
        values: square,
    });
    (!found.is_empty()).then(|| SheetSection { drawing, ..section("agreement of gradients", note, table) })
}

/// The rows of pairs with their values: all of them or, where there are many, those with the highest and the lowest values, as the
/// note then says.
pub(super) fn told_pairs(mut rows: Vec<(f64, Vec<String>)>, note: String) -> (Vec<Vec<String>>, String) {
    let (all, half) = (rows.len(), ROWS_MAX / 2);
    let told = |rows: Vec<(f64, Vec<String>)>| rows.into_iter().map(|(_, row)| row).collect();
    if all <= 2 * ROWS_MAX {
        return (told(rows), note);
    }
    rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    rows.drain(half..all - half);
    (told(rows), format!("{note} Of {all} pairs, the {half} highest and the {half} lowest; study.json has them all."))
}

/// Gains of each task (rows) by each other one (columns) in percent.
fn gains(answer: &Answer, gains: &[PairGain], title: &str, preposition: &str) -> Option<SheetSection> {
    let names: Vec<&String> = answer.tasks.keys().collect();
    let figures: Vec<String> = names.iter().map(|name| format!("{preposition} {name}")).collect();
    let mut table = table(&["task".to_owned()], &figures);
    for task in &names {
        let cell = |partner: &&String| {
            let known = gains.iter().find(|gain| gain.task == **task && gain.partner == **partner);
            known.map_or_else(String::new, |gain| {
                format!("{}{:+.1}", if gain.predicted { "* " } else { "" }, 100.0 * gain.gain)
            })
        };
        table.rows.push(std::iter::once((*task).clone()).chain(names.iter().map(cell)).collect());
    }
    let guessed = gains.iter().any(|gain| gain.predicted);
    let note =
        format!("% on validation data.{}", if guessed { " * not run: guessed from the other pairs." } else { "" });
    (!gains.is_empty()).then(|| section(title, note, table))
}

fn groupings(answer: &Answer) -> Option<SheetSection> {
    let mut table = table(&["networks", "tasks"], &["expected delta-m"]);
    for grouping in &answer.relatedness.groupings {
        let expected = format!("{:+.2} %", 100.0 * grouping.expected_delta_m);
        table.rows.push(vec![
            grouping.trains.len().to_string(),
            networks(&grouping.trains, &grouping.answers),
            expected,
        ]);
    }
    let note = "The best division that the gains of pairs on validation data lead to expect.";
    (!table.rows.is_empty()).then(|| section("groups, by number of networks at most", note, table))
}

/// What the groups reach that were trained.
fn trained_groups(answer: &Answer) -> Option<SheetSection> {
    let trained = answer.groups.as_ref()?;
    let mut table = table(&["task", "with"], &["separate", "group", "joint"]);
    for (name, task) in &answer.tasks {
        let mean = |arm: Arm| score(task.arms.get(arm.name()).map(|arm| arm.mean));
        let partners = trained.groups.iter().find(|group| group.contains(name)).into_iter().flatten();
        let partners: Vec<&str> = partners.filter(|partner| *partner != name).map(String::as_str).collect();
        table.rows.push(vec![
            name.clone(),
            partners.join(", "),
            mean(Arm::Separate),
            mean(Arm::Groups),
            mean(Arm::Joint),
        ]);
    }
    let [valid, end] = [trained.delta_m_valid, trained.delta_m].map(|delta| format!("{:+.2} %", 100.0 * delta));
    let note = format!("Mean gain over each task alone: {valid} on validation data, {end} on what is told here.");
    Some(section("groups, trained", note, table))
}

/// The tasks of each network, with its helpers.
pub(super) fn networks(trains: &[Vec<String>], answers: &[Vec<String>]) -> String {
    let networks = trains.iter().zip(answers).map(|(trains, answers)| {
        let helpers: Vec<&str> = trains.iter().filter(|task| !answers.contains(task)).map(String::as_str).collect();
        let helped = if helpers.is_empty() { String::new() } else { format!(" helped by {}", helpers.join(", ")) };
        format!("{}{helped}", answers.join(", "))
    });
    networks.collect::<Vec<_>>().join(" | ")
}

fn measures(answer: &Answer) -> Option<SheetSection> {
    let found = &answer.relatedness;
    let mut table = table(&["measure"], &["pairs", "more runs", "passes a step", "Spearman", "Kendall"]);
    for measure in &found.measures {
        let figure = |of: fn(&Agreement) -> f64| {
            measure.agreement.as_ref().map_or_else(|| "-".to_owned(), |agreement| format!("{:+.2}", of(agreement)))
        };
        let passes = measure.forward_passes_per_step.map_or_else(String::new, |passes| format!("{passes:.2}"));
        let compared = measure.agreement.as_ref().map_or(measure.pairs, |agreement| agreement.pairs);
        let pairs = match compared == measure.pairs {
            true => measure.pairs.to_string(),
            false => format!("{compared} of {}", measure.pairs),
        };
        let counts = [measure.name.clone(), pairs, measure.runs.to_string(), passes];
        table.rows.push(counts.into_iter().chain([figure(|a| a.spearman), figure(|a| a.kendall)]).collect());
    }
    let note = "Rank correlation with what two tasks gain together, where three pairs or more were run; passes: forward passes of all tasks more in each joint step.";
    let known = !found.measures.is_empty() && !found.pair_gains.is_empty();
    known.then(|| section("how far measures of relatedness tell the gains of pairs", note, table))
}

fn left_out(answer: &Answer) -> Option<SheetSection> {
    let mut table = table(&["what", "why"], &[]);
    let joint = answer.runs.get(Arm::Joint.name()).is_some_and(|&runs| runs > 0);
    if joint && answer.tasks.len() > 1 && answer.relatedness.cosines.is_empty() {
        let why = "no look saw two tasks in a step: `balance.watch` above 0 and, for tasks of several datasets, `train.sampling = \"joint\"`";
        table.rows.push(vec!["agreement of gradients, affinities".to_owned(), why.to_owned()]);
    }
    // What follows the first line is help for a run that can be trained anew.
    let first = |said: &str| said.lines().next().unwrap_or_default().to_owned();
    let diverged = answer.diverged.iter().map(|(id, said)| vec![id.clone(), format!("diverged: {}", first(said))]);
    table.rows.extend(diverged);
    let beyond = told_runs(&answer.not_run).into_iter();
    table.rows.extend(beyond.map(|run| vec![run, "not run, beyond the budget".to_owned()]));
    (!table.rows.is_empty()).then(|| section("left out", "", table))
}

/// The names of runs, of many the first and how many more there are.
fn told_runs(runs: &[String]) -> Vec<String> {
    let (told, more) = runs.split_at(runs.len().min(ROWS_MAX));
    let rest = more.last().map(|last| format!("and {} more, to {last}", count(more.len())));
    told.iter().cloned().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_pairs_the_highest_and_the_lowest_are_told() {
        let rows = |count: usize| (0..count).map(|at| (at as f64, vec![at.to_string()])).collect::<Vec<_>>();
        let (all, note) = told_pairs(rows(40), "Note.".into());
        assert_eq!((all.len(), note.as_str()), (40, "Note."));
        let (some, note) = told_pairs(rows(41), "Note.".into());
        let told: Vec<usize> = some.iter().map(|row| row[0].parse().unwrap()).collect();
        assert_eq!(told, (31..41).rev().chain((0..10).rev()).collect::<Vec<_>>());
        assert_eq!(note, "Note. Of 41 pairs, the 10 highest and the 10 lowest; study.json has them all.");
    }

    #[test]
    fn of_many_runs_the_first_are_told() {
        let runs = |count: usize| (0..count).map(|at| format!("run{at}")).collect::<Vec<_>>();
        assert_eq!(told_runs(&runs(20)), runs(20));
        let told = told_runs(&runs(1_500));
        assert_eq!((told.len(), &told[..20], told[20].as_str()), (21, &runs(20)[..], "and 1,480 more, to run1499"));
    }
}
