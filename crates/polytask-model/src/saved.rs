//! How is a model kept in a directory, and read back?
//!
//! | file | what |
//! |---|---|
//! | `model.toml` | the resolved configuration |
//! | `model.json` | format version, and what inputs and tasks learned from the training data: words, characters, classes |
//! | `weights.safetensors` | every parameter by its name, `f32` |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use indexmap::IndexMap;
use polytask_spec::Spec;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use crate::head::Knowledge;
use crate::input::{Fitted, InputKnowledge};
use crate::model::Model;
use crate::parameters::Parameters;
use crate::sealed;

/// Version of the model directory that this program writes and reads.
pub const FORMAT: u32 = 1;

/// Why a model could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: the model is damaged: {what}\n  help: copy it anew, or train it again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The model was written by a later version.
    #[error("{path}: model format {found}, but this version of polytask reads up to {FORMAT}\n  help: use a newer polytask", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
}

/// What a model knows besides its weights.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// Version of the format.
    pub format: u32,
    /// Inputs by name.
    pub inputs: IndexMap<String, InputKnowledge>,
    /// Tasks by name, in the order of the configuration.
    pub tasks: IndexMap<String, Knowledge>,
}

/// A model read from a directory.
#[derive(Debug)]
pub struct Saved {
    /// The resolved configuration.
    pub spec: Spec,
    /// What it knows besides its weights.
    pub description: Description,
    /// The network with its weights.
    pub model: Model,
}

/// Writes a model into an existing directory.
///
/// # Errors
///
/// Where a file cannot be written.
pub fn save(
    directory: &Path,
    spec: &Spec,
    description: &Description,
    parameters: &Parameters,
) -> Result<(), SavedError> {
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(|source| SavedError::Io { path, source })
    };
    write("model.toml", spec.to_toml().as_bytes())?;
    let json = serde_json::to_vec(description).expect("a description has string keys only");
    write("model.json", &json)?;
    write("weights.safetensors", &sealed(&weights(parameters, Restore::Everything), &json))
}

/// Reads a model.
///
/// # Errors
///
/// Where a file is missing, damaged, or of a later format.
pub fn load(directory: &Path, device: Device) -> Result<Saved, SavedError> {
    let read = |name: &str| {
        let path = directory.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok((path, bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(SavedError::Damaged { path, what: "the file is not there".into() })
            }
            Err(source) => Err(SavedError::Io { path, source }),
        }
    };
    let (path, json) = read("model.json")?;
    let damaged = |path: &Path, what: String| SavedError::Damaged { path: path.into(), what };
    let version: Version = serde_json::from_slice(&json).map_err(|e| damaged(&path, e.to_string()))?;
    if version.format > FORMAT {
        return Err(SavedError::Newer { path, found: version.format });
    }
    let (weights_path, bytes) = read("weights.safetensors")?;
    if !sealed::fits(&bytes, &json) {
        return Err(damaged(&path, "it is not the one that weights.safetensors was written with".into()));
    }
    let description: Description = serde_json::from_slice(&json).map_err(|e| damaged(&path, e.to_string()))?;
    let values = from_safetensors(&bytes).map_err(|what| damaged(&weights_path, what))?;
    let (path, text) = read("model.toml")?;
    let text = String::from_utf8(text).map_err(|e| damaged(&path, e.to_string()))?;
    let parsed = polytask_spec::parse(&path.display().to_string(), &text, &[], &[]);
    let message = |errors: &polytask_spec::Errors| errors.diagnostics.first().map(|fault| fault.message.clone());
    let spec = parsed.map_err(|errors| damaged(&path, message(&errors).unwrap_or_default()))?.spec;
    if !spec.task.keys().eq(description.tasks.keys()) || !spec.input.keys().eq(description.inputs.keys()) {
        return Err(damaged(&path, "its tasks or inputs are not those of model.json".into()));
    }
    let kinds = spec.task.values().zip(description.tasks.values());
    if kinds.into_iter().any(|(task, knowledge)| task.kind.name() != knowledge.kind()) {
        return Err(damaged(&path, "the kinds of its tasks are not those of model.json".into()));
    }
    // What the file says of its width is held against the weights before as much is reserved.
    for (name, knowledge) in &description.inputs {
        let (table, len) = knowledge.table();
        let name = format!("input.{name}.{table}");
        if len.is_none() || values.get(&name).map(Vec::len) != len {
            return Err(damaged(&weights_path, format!("`{name}` is not there, or not as wide as model.json says")));
        }
    }
    let fitted = description
        .inputs
        .iter()
        .map(|(name, knowledge)| (name.clone(), Fitted { knowledge: knowledge.clone(), initial: Vec::new() }));
    let knowledge: Vec<Knowledge> = description.tasks.values().cloned().collect();
    let mut model = Model::build(&spec, &knowledge, &fitted.collect(), device);
    restore(&mut model.parameters, values, Restore::Everything).map_err(|what| damaged(&weights_path, what))?;
    Ok(Saved { spec, description, model })
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// A named array.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Extent of each dimension.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// Parameters and tables by name.
pub fn weights(parameters: &Parameters, what: Restore) -> Vec<Named> {
    let tables = parameters.tables().iter().filter(|table| table.tuned || what == Restore::Everything);
    let tables = tables.map(|table| Named {
        name: table.name.clone(),
        shape: vec![table.rows(), table.dim],
        values: table.values.clone(),
    });
    let dense = parameters.dense().iter().map(|parameter| Named {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        values: parameter.to_vec(),
    });
    tables.chain(dense).collect()
}

/// Which parameters are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restore {
    /// All of them.
    Everything,
    /// Those that are trained; tables that are not keep their values.
    Trained,
}

/// Puts values back into parameters of the same names and shapes.
///
/// # Errors
///
/// Where one is missing or has another size.
pub fn restore(parameters: &mut Parameters, values: BTreeMap<String, Vec<f32>>, what: Restore) -> Result<(), String> {
    let mut values = values;
    let mut take = |name: &str, len: usize| {
        let found = values.remove(name).ok_or_else(|| format!("`{name}` is missing"))?;
        if found.len() != len {
            return Err(format!("`{name}` has {} values, the configuration asks for {len}", found.len()));
        }
        Ok(found)
    };
    for index in 0..parameters.tables().len() {
        let table = parameters.table_mut(index);
        if table.tuned || what == Restore::Everything {
            table.values = take(&table.name, table.values.len())?;
        }
    }
    for index in 0..parameters.dense().len() {
        let parameter = &parameters.dense()[index];
        let found = take(&parameter.name, parameter.len())?;
        parameters.update(index, |current| current.copy_from_slice(&found));
    }
    Ok(())
}

/// The safetensors bytes of some arrays, with their checksum; the same arrays give the same bytes.
pub fn to_safetensors(arrays: &[Named]) -> Vec<u8> {
    sealed(arrays, &[])
}

fn sealed(arrays: &[Named], beside: &[u8]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        arrays.iter().map(|array| array.values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = arrays.iter().zip(&bytes).map(|(array, bytes)| {
        let view =
            TensorView::new(Dtype::F32, array.shape.clone(), bytes).expect("an array has as many values as its shape");
        (array.name.as_str(), view)
    });
    sealed::seal(views, beside)
}

/// The arrays in safetensors bytes, by name.
///
/// # Errors
///
/// Where the bytes are no safetensors file or not those that were written, or one of its arrays is not `f32`.
pub fn from_safetensors(bytes: &[u8]) -> Result<BTreeMap<String, Vec<f32>>, String> {
    let tensors = sealed::open(bytes)?;
    tensors
        .iter()
        .map(|(name, view)| {
            if view.dtype() != Dtype::F32 {
                return Err(format!("`{name}` is {:?}, not F32", view.dtype()));
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            Ok((name.to_owned(), values))
        })
        .collect()
}
