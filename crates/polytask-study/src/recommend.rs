//! What shall be done, and why?

use indexmap::IndexMap;
use polytask_spec::Spec;
use polytask_spec::study::Arm;
use serde::{Deserialize, Serialize};

use crate::answer::{TaskAnswer, Trained};
use crate::choice::Tried;
use crate::derive::keep_apart;
use crate::related::Relatedness;
use crate::statistics::{SEEDS_MIN, Verdict};
use crate::variant::{Variant, joint_spec};

/// What to do with the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// One network for all.
    ShareAll,
    /// Tasks that lose are kept apart.
    KeepApart,
    /// Groups of tasks that gain by each other.
    Groups,
    /// There is too little to tell.
    Undecided,
}

/// What to do, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// What to do.
    pub decision: Decision,
    /// Tasks that share, group by group.
    pub groups: Vec<Vec<String>>,
    /// The same and its evidence, in sentences.
    pub sentences: Vec<String>,
}

/// What runs say besides the scores of tasks.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub relatedness: &'a Relatedness,
    pub groups: Option<&'a Trained>,
    /// Variants of the joint arm.
    pub joint: &'a [Tried],
    /// Values in the models of each arm.
    pub parameters: &'a IndexMap<String, usize>,
}

/// Decides from the verdicts: what loses is kept apart, by the gains of pairs where these were run, else by affinities where these
/// were looked at and divide the tasks.
pub(crate) fn recommend(
    spec: &Spec,
    tasks: &IndexMap<String, TaskAnswer>,
    Evidence { relatedness, groups: trained, joint, parameters }: Evidence<'_>,
) -> Recommendation {
    let chosen = joint.iter().find(|tried| tried.chosen);
    let less = chosen.and_then(|tried| tried.variant.shares_less());
    let all: Vec<String> = tasks.keys().cloned().collect();
    let with = |verdict| -> Vec<String> {
        let these = tasks.iter().filter(|(_, task)| task.comparison.verdict == verdict);
        these.map(|(name, _)| name.clone()).collect()
    };
    let (hurt, helped) = (with(Verdict::Hurt), with(Verdict::Helped));
    let (unchanged, undecided) = (with(Verdict::Unchanged), with(Verdict::Undecided));
    // Groups that were trained and did not hold what pairs promised are not recommended.
    let by_pairs = relatedness.partition.as_ref().filter(|_| trained.is_none_or(|trained| trained.delta_m_valid > 0.0));
    // One network for all is what hurts, and one for each needs no affinity.
    let is_division = |groups: &Vec<Vec<String>>| groups.len() > 1 && groups.len() < all.len();
    let by_affinity = relatedness.affinity_partition.as_ref().filter(|_| relatedness.partition.is_none());
    let by_affinity = by_affinity.filter(|partition| is_division(&partition.answers));
    let partition = by_pairs.map(|partition| &partition.answers);
    let (decision, groups) = match (partition.or(by_affinity.map(|partition| &partition.answers)), hurt.is_empty()) {
        (Some(answers), false) => (Decision::Groups, answers.clone()),
        (None, false) => {
            let rest: Vec<String> = all.iter().filter(|task| !hurt.contains(task)).cloned().collect();
            let apart = hurt.iter().map(|task| vec![task.clone()]);
            let groups = Some(rest).filter(|rest| !rest.is_empty()).into_iter().chain(apart).collect();
            (Decision::KeepApart, groups)
        }
        (_, true) if undecided.is_empty() || !helped.is_empty() => (Decision::ShareAll, vec![all.clone()]),
        _ => (Decision::Undecided, vec![all.clone()]),
    };
    let mut sentences = vec![match decision {
        Decision::ShareAll => {
            let how = less.as_ref().map(|how| format!(", {how}")).unwrap_or_default();
            format!("Train all tasks in one network{how}: none is shown to lose by it.")
        }
        Decision::KeepApart if groups.iter().all(|group| group.len() == 1) => {
            format!("Give every task a network of its own: {} lose{} by sharing.", list(&hurt), s(&hurt))
        }
        Decision::KeepApart => format!("Keep {} apart and let the others share.", list(&hurt)),
        Decision::Groups => {
            let groups: Vec<String> = groups.iter().map(|group| list(group)).collect();
            format!("Do not train all tasks in one network; group them: {}.", groups.join(" | "))
        }
        Decision::Undecided => "The runs do not tell whether sharing helps or hurts.".to_owned(),
    }];
    sentences.extend(evidence_of(tasks));
    if let (Decision::Groups, Some(partition)) = (decision, &relatedness.partition) {
        let expected = 100.0 * partition.expected_delta_m;
        let text = "Pairs on validation data lead to expect a mean gain of";
        sentences.push(format!(
            "{text} {expected:+.1} % of these groups over tasks alone{}.",
            if trained.is_some() { "" } else { "; the groups were not trained" }
        ));
        let guessed = relatedness.pair_gains.iter().filter(|pair| pair.predicted).count();
        if guessed > 0 {
            let all = relatedness.pair_gains.len();
            sentences.push(format!("{guessed} of the {all} gains are guesses: the budget left their pairs out."));
        }
    }
    if let (Decision::Groups, Some(partition)) = (decision, by_affinity) {
        sentences.push(format!(
            "The groups are those with the largest look-ahead affinity, {:+.2} % of a task's loss a step on average; they were \
             not trained, and no pairs were.",
            100.0 * partition.affinity
        ));
    }
    if let Some(Trained { groups, delta_m_valid, delta_m }) = trained {
        let groups: Vec<String> = groups.iter().map(|group| list(group)).collect();
        sentences.push(format!(
            "Trained, the groups {} reach a mean gain of {:+.1} % over tasks alone on validation data, and of {:+.1} % in the end.",
            groups.join(" | "),
            100.0 * delta_m_valid,
            100.0 * delta_m,
        ));
    }
    if !undecided.is_empty() {
        let seeds = tasks.values().map(|task| task.comparison.gains.len()).min().unwrap_or(0);
        let why = match seeds < SEEDS_MIN {
            true => {
                let have = if seeds == 1 { "seed has" } else { "seeds have" };
                format!("{seeds} {have} both arms, and fewer than {SEEDS_MIN} decide nothing")
            }
            false => "their intervals hold both a gain or none and a loss or none beyond the margin".to_owned(),
        };
        sentences.push(format!("Undecided: {}; {why}.", list(&undecided)));
    }
    if hurt.is_empty() && !unchanged.is_empty() {
        sentences.push(format!("{} stay{} the same within the margin.", list(&unchanged), s(&unchanged)));
    }
    sentences.extend(against_equal_size(tasks));
    if let (Some(alone), Some(together)) = (parameters.get(Arm::Separate.name()), parameters.get(Arm::Joint.name())) {
        let share = 100.0 * *together as f64 / (*alone).max(1) as f64;
        sentences.push(format!(
            "One network for all has {share:.0} % of the parameters of the networks of each task alone."
        ));
    }
    if let Some(chosen) = chosen {
        sentences.push(format!("All tasks together were balanced and updated by {}.", chosen.variant.words()));
        if let (Some(gain), Some(_)) = (chosen.delta_m_valid, less) {
            sentences.push(format!(
                "Sharing that much less gains {:+.2} % on average on validation data over the network of the file.",
                100.0 * gain
            ));
        }
    }
    if spec
        .study
        .as_ref()
        .is_some_and(|study| !study.arms.contains(&Arm::Separate) || !study.arms.contains(&Arm::Joint))
    {
        sentences.push("A verdict needs the arms `separate` and `joint`.".to_owned());
    }
    Recommendation { decision, groups, sentences }
}

/// What sharing does against separate networks of the same total size.
fn against_equal_size(tasks: &IndexMap<String, TaskAnswer>) -> Option<String> {
    let verdicts: Vec<(&String, Verdict)> =
        tasks.iter().filter_map(|(name, task)| Some((name, task.equal_size.as_ref()?.verdict))).collect();
    let parts = [Verdict::Helped, Verdict::Unchanged, Verdict::Hurt, Verdict::Undecided].map(|verdict| {
        let these: Vec<String> =
            verdicts.iter().filter(|(_, found)| *found == verdict).map(|(name, _)| (*name).clone()).collect();
        (!these.is_empty()).then(|| format!("{}: {}", verdict.name(), list(&these)))
    });
    let said: Vec<String> = parts.into_iter().flatten().collect();
    (!said.is_empty()).then(|| format!("Against separate networks of equal total size, {}.", said.join("; ")))
}

/// What is known of a task that gained or lost.
/// What the verdicts rest on: a sentence for each task that gains or loses, of many tasks one for all that gain and one for all that
/// lose.
fn evidence_of(tasks: &IndexMap<String, TaskAnswer>) -> Vec<String> {
    const SENTENCES_MAX: usize = 6;
    let single: Vec<String> = tasks.iter().filter_map(|(name, task)| evidence(name, task)).collect();
    if single.len() <= SENTENCES_MAX {
        return single;
    }
    let together = |(verdict, word): (Verdict, &str)| {
        let of: Vec<_> = tasks.iter().filter(|(_, task)| task.comparison.verdict == verdict).collect();
        let (_, first) = of.first()?;
        let gains: Vec<String> = of
            .iter()
            .filter_map(|(name, task)| Some(format!("`{name}` {:+.4}", task.comparison.paired?.mean)))
            .collect();
        let p = of.iter().filter_map(|(_, task)| task.comparison.p_holm).fold(0.0, f64::max);
        Some(format!(
            "On {} data over {} seeds {} of {} tasks {word} by sharing (p at most {p:.4} after Holm's correction): {}.",
            if first.split == "test" { "test" } else { "validation" },
            first.comparison.gains.len(),
            of.len(),
            tasks.len(),
            gains.join(", ")
        ))
    };
    [(Verdict::Helped, "gain"), (Verdict::Hurt, "lose")].into_iter().filter_map(together).collect()
}

fn evidence(name: &str, task: &TaskAnswer) -> Option<String> {
    let word = match task.comparison.verdict {
        Verdict::Helped => "gains",
        Verdict::Hurt => "loses",
        Verdict::Unchanged | Verdict::Undecided => return None,
    };
    let paired = task.comparison.paired?;
    let (metric, seeds) = (task.metric.as_deref().unwrap_or_default(), task.comparison.gains.len());
    Some(format!(
        "`{name}` {word} {:.4} of {metric} on {} data over {seeds} seeds (gain {:+.4}, 95 % interval {:+.4} to {:+.4}; p {} after \
         Holm's correction).",
        paired.mean.abs(),
        if task.split == "test" { "test" } else { "validation" },
        paired.mean,
        paired.interval.low,
        paired.interval.high,
        match task.comparison.p_holm.unwrap_or(1.0) {
            p if p < 1e-4 => "< 0.0001".to_owned(),
            p => format!("= {p:.4}"),
        },
    ))
}

/// The configuration that a recommendation means: groups share nothing, and the chosen balancer and update rule are set.
pub fn recommended(spec: &Spec, recommendation: &Recommendation, joint: Option<&Variant>) -> Spec {
    let base = match joint {
        Some(variant) => joint_spec(spec, variant),
        None => Spec { study: None, ..spec.clone() },
    };
    keep_apart(&base, &recommendation.groups)
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The ending of a verb whose subject is one task.
fn s(names: &[String]) -> &'static str {
    if names.len() == 1 { "s" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::compare;

    fn answers(gains: &[f64]) -> IndexMap<String, TaskAnswer> {
        let by_seed: Vec<Vec<f64>> =
            gains.iter().map(|gain| [-0.001, 0.0, 0.001, 0.002, -0.002].map(|noise| gain + noise).to_vec()).collect();
        let answer = |(index, comparison)| {
            let answer = TaskAnswer {
                metric: Some("accuracy".into()),
                higher_is_better: true,
                split: "test".into(),
                separate: Vec::new(),
                arms: IndexMap::new(),
                bootstrap_examples: None,
                equal_size: None,
                relative_gain: None,
                comparison,
            };
            (format!("t{index}"), answer)
        };
        compare(&by_seed, &vec![0.001; gains.len()], 1).into_iter().enumerate().map(answer).collect()
    }

    #[test]
    fn few_verdicts_have_a_sentence_each_and_many_have_one_together() {
        let few = evidence_of(&answers(&[0.05, -0.03, 0.04]));
        assert_eq!(few.len(), 3);
        assert!(few[1].starts_with("`t1` loses 0.0300 of accuracy on test data over 5 seeds"), "{few:?}");
        let many = evidence_of(&answers(&[0.05, -0.03, 0.04, 0.06, 0.05, 0.0, -0.02, 0.07]));
        assert_eq!(many.len(), 2);
        let [gain, lose] = [&many[0], &many[1]];
        assert!(gain.starts_with("On test data over 5 seeds 5 of 8 tasks gain by sharing (p at most 0.0"), "{gain}");
        assert!(gain.ends_with("`t0` +0.0500, `t2` +0.0400, `t3` +0.0600, `t4` +0.0500, `t7` +0.0700."), "{gain}");
        assert!(lose.contains("2 of 8 tasks lose") && lose.ends_with("`t1` -0.0300, `t6` -0.0200."), "{lose}");
    }
}
