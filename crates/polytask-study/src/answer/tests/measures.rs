//! Does the answer hold what was measured of tasks, and divide them by it where no pairs were run?

use polytask_run::Event;

use super::*;
use crate::similarity::PairSimilarity;

/// A look at which `one` and `three` helped each other, and `two` harmed and was harmed.
fn look() -> Event {
    let affinities: Vec<serde_json::Value> = ["one", "two", "three"]
        .iter()
        .flat_map(|of| ["one", "two", "three"].map(|on| (*of, on)))
        .filter(|(of, on)| of != on)
        .map(|(of, on)| {
            let affinity = if of == "two" || on == "two" { -0.02 } else { 0.01 };
            json!({ "of": of, "on": on, "affinity": affinity })
        })
        .collect();
    let event = json!({ "event": "balance", "epoch": 1, "step": 1, "tasks": {}, "affinities": affinities });
    serde_json::from_value(event).unwrap()
}

/// The answer of a study in whose joint runs `two` loses; every two of them gain, but for those with `three`.
fn answered(arms: &str) -> Answer {
    let (spec, jobs) = study(&format!("study = {{ budget.runs = 100, arms = {arms}, measures = [\"affinity\"] }}"));
    for job in &jobs {
        assert_eq!(job.spec.balance.affinity, job.arm == Arm::Joint, "{}", job.id);
    }
    let gain = |job: &Job, task: &str| match (job.arm, task) {
        (Arm::Joint, "two") => -0.2,
        (Arm::Pairs, _) if job.tasks.contains(&"three".to_owned()) => -0.1,
        (Arm::Pairs, _) => 0.1,
        _ => 0.0,
    };
    let ends: Vec<(Job, End)> = jobs.into_iter().map(|job| (job.clone(), scored(&job, gain))).collect();
    let events = |job: &Job| if job.arm == Arm::Joint { vec![look(), look()] } else { Vec::new() };
    answer(&spec, &ends, &|job| Left { events: events(job), ..Left::default() })
}

#[test]
fn without_pairs_affinities_divide_the_tasks() {
    let found = answered("[\"separate\", \"joint\"]");
    let related = &found.relatedness;
    assert_eq!(related.affinities.len(), 6);
    // Two looks of five runs.
    let onto_three = related.affinities.iter().find(|pair| pair.of == "one" && pair.on == "three").unwrap();
    assert!((onto_three.affinity - 0.01).abs() < 1e-12 && onto_three.looks == 10, "{onto_three:?}");
    let groups = [vec!["one", "three"], vec!["two"]];
    let partition = related.affinity_partition.as_ref().unwrap();
    assert_eq!(partition.answers, groups);
    assert!((partition.affinity - 0.02 / 3.0).abs() < 1e-12);
    assert!(related.partition.is_none() && related.groupings.is_empty());
    let recommendation = &found.recommendation;
    assert_eq!(recommendation.decision, Decision::Groups);
    assert_eq!(recommendation.groups, groups);
    let said = recommendation.sentences.join(" ");
    assert!(said.contains("the largest look-ahead affinity") && said.contains("they were not trained"), "{said}");
    let measure = related.measures.iter().find(|measure| measure.name == "affinity").unwrap();
    // Four passes at every hundredth step: the network as it is, and after a step for each of three tasks.
    assert_eq!((measure.pairs, measure.runs, measure.forward_passes_per_step), (3, 0, Some(0.04)));
    assert_eq!(measure.agreement, None);
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), found);
}

#[test]
fn pairs_that_were_trained_come_before_affinities() {
    let mut found = answered("[\"separate\", \"joint\", \"pairs\"]");
    assert!(found.recommendation.groups.contains(&vec!["one".to_owned(), "two".to_owned()]), "{found:?}");
    let said = found.recommendation.sentences.join(" ");
    assert!(said.contains("Pairs on validation data") && !said.contains("affinity"), "{said}");
    let affinity = found.relatedness.measures.iter().find(|measure| measure.name == "affinity").unwrap();
    assert_eq!(affinity.agreement.unwrap().pairs, 3);
    // The networks of `one` and `two` are the most alike, as these gain the most together.
    let similar =
        |left: &str, right: &str, cka| PairSimilarity { between: [left, right].map(str::to_owned), cka, texts: 9 };
    let similarities = vec![similar("one", "two", 0.9), similar("one", "three", 0.2), similar("two", "three", 0.1)];
    found.relatedness.compare_with(similarities.clone());
    let cka = found.relatedness.measures.last().unwrap();
    assert_eq!((cka.name.as_str(), cka.pairs, cka.runs, cka.forward_passes_per_step), ("cka", 3, 0, None));
    assert!(cka.agreement.unwrap().spearman > 0.4, "{cka:?}");
    assert_eq!(found.relatedness.similarities, similarities);
    let before = found.relatedness.measures.len();
    found.relatedness.compare_with(Vec::new());
    assert_eq!(found.relatedness.measures.len(), before, "nothing was compared");
}
