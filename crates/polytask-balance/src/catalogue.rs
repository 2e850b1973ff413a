//! The catalogue: which methods are there, and which options do they take?

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::balancer::{AnyBalancer, Balancer, Needs, erase};
use crate::methods::{
    AlignedMtl, CaGrad, ConFig, CrMogm, DbMtl, DualProj, Dwa, Equal, ExcessMtl, FairGrad, Famo, Fixed, Gls, GradDrop,
    GradNorm, GradVac, ImtlG, ImtlL, Mgda, MoCo, MoDo, NashMtl, PcGrad, Random, ScaleInvariant, SdmGrad, Stch,
    Uncertainty, UpGrad,
};
use crate::{Error, Result};

/// All methods, sorted by key.
pub fn all() -> &'static [Entry] {
    static ENTRIES: &[Entry] = &[
        entry::<AlignedMtl>(),
        entry::<CaGrad>(),
        entry::<ConFig>(),
        entry::<CrMogm>(),
        entry::<DbMtl>(),
        entry::<DualProj>(),
        entry::<Dwa>(),
        entry::<Equal>(),
        entry::<ExcessMtl>(),
        entry::<FairGrad>(),
        entry::<Famo>(),
        entry::<Fixed>(),
        entry::<Gls>(),
        entry::<GradDrop>(),
        entry::<GradNorm>(),
        entry::<GradVac>(),
        entry::<ImtlG>(),
        entry::<ImtlL>(),
        entry::<Mgda>(),
        entry::<MoCo>(),
        entry::<MoDo>(),
        entry::<NashMtl>(),
        entry::<PcGrad>(),
        entry::<Random>(),
        entry::<ScaleInvariant>(),
        entry::<SdmGrad>(),
        entry::<Stch>(),
        entry::<Uncertainty>(),
        entry::<UpGrad>(),
    ];
    ENTRIES
}

/// One method.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in configs; permanent.
    pub key: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// What it wants to see of each step.
    pub needs: Needs,
    /// What it costs a step beside that: a formula in the number of tasks T.
    pub cost: &'static str,
    /// The JSON Schema of its `[balance]` table, `method` included.
    pub schema: fn() -> Value,
    /// Options that are valid for the tasks of these names, without `method`.
    pub example: fn(tasks: &[String]) -> Map<String, Value>,
    /// Builds the method.
    pub build: Build,
}

/// Builds a method from its options, for the tasks of these names in this order. A key `method` is passed over.
///
/// # Errors
/// Where there is no task, or an option is unknown, of the wrong type, out of range, or does not fit the tasks.
pub type Build = fn(options: &Map<String, Value>, tasks: &[String]) -> Result<Box<dyn AnyBalancer>>;

/// The method of that name.
pub fn find(key: &str) -> Option<&'static Entry> {
    all().iter().find(|entry| entry.key == key)
}

/// The JSON Schema of the `[balance]` table: one of the methods' schemas, with no reference to elsewhere.
pub fn schema() -> Value {
    json!({ "oneOf": all().iter().map(|entry| (entry.schema)()).collect::<Vec<_>>() })
}

const fn entry<B: Balancer>() -> Entry {
    Entry {
        key: B::KEY,
        summary: B::SUMMARY,
        reference: B::REFERENCE,
        needs: B::NEEDS,
        cost: B::COST,
        schema: method_schema::<B>,
        example: B::example,
        build: build::<B>,
    }
}

fn build<B: Balancer>(options: &Map<String, Value>, tasks: &[String]) -> Result<Box<dyn AnyBalancer>> {
    if tasks.is_empty() {
        return Err(Error::NoTasks);
    }
    let options = options.iter().filter(|(key, _)| *key != METHOD).map(|(key, value)| (key.clone(), value.clone()));
    let balancer: B = serde_json::from_value(Value::Object(options.collect()))
        .map_err(|error| Error::Options { method: B::KEY, message: error.to_string() })?;
    Ok(erase(balancer.bind(tasks)?))
}

fn method_schema<B: Balancer>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<B>();
    let schema = schema.ensure_object();
    schema.remove("title");
    let mut properties = Map::from_iter([(METHOD.to_owned(), json!({ "const": B::KEY, "description": B::SUMMARY }))]);
    if let Some(Value::Object(options)) = schema.remove("properties") {
        properties.extend(options);
    }
    let mut required = vec![json!(METHOD)];
    if let Some(Value::Array(options)) = schema.remove("required") {
        required.extend(options);
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("required".to_owned(), Value::Array(required));
    Value::Object(std::mem::take(schema))
}

/// The key of the `[balance]` table that names the method.
const METHOD: &str = "method";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gramian, Seen, TensorGradients};

    fn tasks(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn keys_are_sorted_and_kebab_case() {
        assert!(all().windows(2).all(|pair| pair[0].key < pair[1].key));
        for entry in all() {
            assert!(entry.key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'), "{}", entry.key);
            assert!(!entry.summary.is_empty() && !entry.reference.is_empty() && !entry.cost.is_empty());
            assert_eq!(find(entry.key).map(|found| found.key), Some(entry.key));
        }
        assert!(find("nothing").is_none());
    }

    #[test]
    fn needs_are_named_as_serde_names_them() {
        for entry in all() {
            assert_eq!(serde_json::to_value(entry.needs).unwrap(), entry.needs.key());
        }
    }

    #[test]
    fn methods_that_draw_follow_the_run_unless_their_options_give_a_seed() {
        let tasks = tasks(&["ner", "chunk", "pos"]);
        let mut drawing = Vec::new();
        for entry in all() {
            let options = (entry.example)(&tasks);
            let weights = |options: &Map<String, Value>, run: u64| seeded_weights(entry, options, &tasks, run);
            let fixed = Map::from_iter([("seed".to_owned(), json!(7))]);
            if (entry.schema)()["properties"].get("seed").is_some() {
                drawing.push(entry.key);
                assert_ne!(weights(&options, 1), weights(&options, 2), "{}", entry.key);
                assert_eq!(weights(&options, 7), weights(&fixed, 1), "{}", entry.key);
            } else {
                assert_eq!(weights(&options, 1), weights(&options, 2), "{}", entry.key);
            }
        }
        assert_eq!(drawing, ["graddrop", "gradvac", "pcgrad", "random"]);
        let surgery = Map::from_iter([("base".to_owned(), json!("pcgrad"))]);
        let averaged = find("cr-mogm").unwrap();
        assert_ne!(seeded_weights(averaged, &surgery, &tasks, 1), seeded_weights(averaged, &surgery, &tasks, 2));
    }

    /// What some steps with conflicting gradients come to: the rewritten gradients and the weights.
    fn seeded_weights(entry: &Entry, options: &Map<String, Value>, tasks: &[String], run: u64) -> Vec<f64> {
        let mut balancer = (entry.build)(options, tasks).unwrap();
        balancer.seed(run);
        let mut state = balancer.init(3);
        let rows = [vec![1.0, -0.5, -0.4], vec![-0.5, 1.0, -0.3], vec![-0.4, -0.3, 1.0]];
        let seen = Seen::new(vec![Some(1.0); 3]).and_then(|seen| seen.with_gramian(Gramian::new(&rows)?));
        let seen = seen.and_then(|seen| seen.with_cross_gramian(rows.to_vec())).unwrap();
        let mut found = Vec::new();
        for _ in 0..4 {
            let mut gradients = [[1.0_f32, -1.0], [-2.0, 1.0], [0.5, 1.5]];
            let mut kept = [[0.0_f32; 2]; 3];
            let mut measures = [0.0; 3];
            let mut tensor = TensorGradients {
                name: "trunk",
                gradients: gradients.iter_mut().map(|gradient| gradient.as_mut_slice()).collect(),
                kept: kept.iter_mut().map(|kept| kept.as_mut_slice()).collect(),
                measures: &mut measures,
            };
            balancer.rewrite(&state, &seen, &mut tensor).unwrap();
            let seen = seen.clone().with_measures(measures.to_vec()).unwrap();
            found.extend(gradients.iter().flatten().map(|value| f64::from(*value)));
            found.extend(balancer.weigh(&mut state, &seen).unwrap().into_vec());
        }
        found
    }

    #[test]
    fn schema_has_each_method_with_its_options() {
        let schema = schema();
        let text = schema.to_string();
        assert!(!text.contains("$defs") && !text.contains("$ref") && !text.contains("$schema"), "{text}");
        let methods = schema["oneOf"].as_array().unwrap();
        assert_eq!(methods.len(), all().len());
        for (method, entry) in methods.iter().zip(all()) {
            assert_eq!(method["type"], "object");
            assert_eq!(method["properties"]["method"]["const"], entry.key);
            assert_eq!(method["required"][0], "method");
            assert_eq!(method["additionalProperties"], false);
        }
        let uncertainty = find("uncertainty").unwrap();
        let properties = &(uncertainty.schema)()["properties"];
        assert_eq!(properties["learning_rate"]["default"], 1e-3);
        assert_eq!(properties["learning_rate"]["exclusiveMinimum"], 0.0);
        assert_eq!(properties["form"]["default"], "kendall");
        let fixed = (find("fixed").unwrap().schema)();
        assert_eq!(fixed["required"], json!(["method", "weights"]));
        assert_eq!(fixed["properties"]["weights"]["anyOf"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn builds_from_options_and_names_what_is_wrong() {
        let tasks = tasks(&["ner", "chunk"]);
        for entry in all() {
            let mut options = (entry.example)(&tasks);
            options.insert(METHOD.to_owned(), json!(entry.key));
            let balancer = (entry.build)(&options, &tasks).unwrap();
            assert_eq!((balancer.key(), balancer.needs()), (entry.key, entry.needs));
            assert!(matches!((entry.build)(&options, &[]), Err(Error::NoTasks)));
            options.insert("nonsense".to_owned(), json!(1));
            let message = (entry.build)(&options, &tasks).err().unwrap().to_string();
            assert!(message.contains(entry.key) && message.contains("nonsense"), "{message}");
        }
        let options = Map::from_iter([("learning_rate".to_owned(), json!(0))]);
        let message = (find("uncertainty").unwrap().build)(&options, &tasks).err().unwrap().to_string();
        assert_eq!(message, "balance method `uncertainty`: `learning_rate` is 0, expected a finite number above 0");
    }
}
