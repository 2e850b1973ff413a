//! How do the pages of a column become values?
//!
//! A column that may be null, or holds lists, has levels beside its values. A definition level says how much of the
//! path from the root to a value exists; a repetition level of 0 begins a row.
//!
//! Reference: Melnik et al., "Dremel: Interactive Analysis of Web-Scale Datasets", VLDB, 2010.

use std::iter::Peekable;
use std::vec::IntoIter;

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};
use serde_json::Value as Json;

use super::{damaged, guarded, malformed};
use crate::error::{Error, Result};
use crate::open::LINE_BYTES_MAX;
use crate::record::ColumnKind;

/// A column as the file stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Its name without what only lists need.
    pub name: String,
    /// Its position among the columns of the file.
    pub index: usize,
    /// The definition level of a value.
    value_level: i16,
    /// The least definition level of an element, where the column holds lists.
    element_level: Option<i16>,
    /// What its values are.
    kind: Kind,
}

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Text,
    Scalar {
        unsigned: bool,
    },
    /// What is not read, for messages.
    Other(String),
}

impl Leaf {
    /// The columns of a file.
    pub fn all(schema: &SchemaDescriptor) -> Vec<Leaf> {
        (0..schema.num_columns()).map(|index| Leaf::new(schema.root_schema(), &schema.column(index), index)).collect()
    }

    fn new(root: &Type, column: &ColumnDescriptor, index: usize) -> Leaf {
        let is_list = |node: &Type| {
            let info = node.get_basic_info();
            info.converted_type() == ConvertedType::LIST || info.logical_type_ref() == Some(&LogicalType::List)
        };
        let (mut above, mut node): (Option<&Type>, &Type) = (None, root);
        let (mut names, mut level, mut element_level) = (Vec::new(), 0, None);
        for part in column.path().parts() {
            let fields = if node.is_primitive() { &[] } else { node.get_fields() };
            let Some(field) = fields.iter().find(|field| field.name() == part) else { break };
            // A list is a group of one repeated group of one element.
            let wrapped = is_list(node) || above.is_some_and(|above| is_list(above) && fields.len() == 1);
            if !wrapped || names.is_empty() {
                names.push(part.as_str());
            }
            let info = field.get_basic_info();
            let repetition = if info.has_repetition() { info.repetition() } else { Repetition::REQUIRED };
            level += i16::from(repetition != Repetition::REQUIRED);
            if repetition == Repetition::REPEATED {
                element_level.get_or_insert(level);
            }
            (above, node) = (Some(node), field);
        }
        Leaf { name: names.join("."), index, value_level: column.max_def_level(), element_level, kind: kind(column) }
    }

    /// Whether its values can be read as anything.
    pub fn is_readable(&self) -> bool {
        !matches!(self.kind, Kind::Other(_))
    }

    /// Checks that the column can be read as what is asked.
    ///
    /// # Errors
    /// The column holds what no column of a record does.
    pub fn check(&self, asked: ColumnKind, file: &str) -> Result<()> {
        let list = if self.element_level.is_some() { "a list of " } else { "" };
        let accepted = match asked {
            ColumnKind::Text | ColumnKind::Tokens if self.kind == Kind::Text => return Ok(()),
            ColumnKind::Text | ColumnKind::Tokens => "strings or lists of strings",
            _ if matches!(self.kind, Kind::Other(_)) => "strings, numbers, truth values, or lists of them",
            ColumnKind::Tags if list.is_empty() => "lists of tags",
            ColumnKind::Labels if list.is_empty() => "lists of labels",
            ColumnKind::Label | ColumnKind::Number if !list.is_empty() => "strings, numbers or truth values",
            _ => return Ok(()),
        };
        let found = match &self.kind {
            Kind::Text => format!("{list}strings"),
            Kind::Scalar { .. } => format!("{list}numbers or truth values"),
            Kind::Other(name) => format!("{list}{name}"),
        };
        Err(malformed(file, 0, format!("{accepted} in the column `{}`", self.name), found, "name another column"))
    }
}

fn kind(column: &ColumnDescriptor) -> Kind {
    let (converted, logical) = (column.converted_type(), column.logical_type_ref());
    let is_text = matches!(logical, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json))
        || matches!(converted, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON);
    let is_integer = match logical {
        None => !matches!(
            converted,
            ConvertedType::DATE
                | ConvertedType::DECIMAL
                | ConvertedType::TIME_MILLIS
                | ConvertedType::TIME_MICROS
                | ConvertedType::TIMESTAMP_MILLIS
                | ConvertedType::TIMESTAMP_MICROS
        ),
        Some(LogicalType::Integer { .. }) => true,
        Some(_) => false,
    };
    let unsigned = matches!(
        converted,
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
    );
    match column.physical_type() {
        _ if column.max_rep_level() > 1 => Kind::Other("lists".to_string()),
        Physical::BYTE_ARRAY if is_text => Kind::Text,
        Physical::BYTE_ARRAY if logical.is_none() && converted == ConvertedType::NONE => {
            Kind::Other("bytes that are not marked as text".to_string())
        }
        Physical::INT32 | Physical::INT64 if is_integer => Kind::Scalar { unsigned },
        Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE => Kind::Scalar { unsigned },
        physical => Kind::Other(match logical {
            Some(logical) => format!("{logical:?}").chars().take_while(|letter| letter.is_alphanumeric()).collect(),
            None if converted != ConvertedType::NONE => converted.to_string(),
            None => physical.to_string(),
        }),
    }
}

/// The values of a column in a row group, batch by batch.
pub(super) struct Batches<'a> {
    reader: ColumnReader,
    leaf: &'a Leaf,
    file: &'a str,
}

/// Bytes that an element of a list takes besides its text.
const ITEM_BYTES: usize = 8;

/// The values of some rows one by one, each with the bytes that it takes.
pub(super) type Values<'a> = Box<dyn Iterator<Item = Result<(Json, usize)>> + 'a>;

impl<'a> Batches<'a> {
    pub fn new(reader: ColumnReader, leaf: &'a Leaf, file: &'a str) -> Batches<'a> {
        Batches { reader, leaf, file }
    }

    /// The values of the next `count` rows, which follow on `row` rows; they become values as they are taken.
    ///
    /// # Errors
    /// The pages are damaged; when they are taken, values that are not UTF-8, too many in a row, or fewer than rows.
    pub fn read(&mut self, count: usize, row: u32) -> Result<Values<'a>> {
        let Kind::Text = self.leaf.kind else { return self.scalars(count, row) };
        let place = (self.leaf, self.file, row);
        match &mut self.reader {
            ColumnReader::ByteArrayColumnReader(reader) => {
                let batch = guarded(self.file, || Batch::read(reader, count))?;
                let text = |bytes: parquet::data_type::ByteArray| {
                    let text = std::str::from_utf8(bytes.data()).ok()?;
                    Some((Json::from(text), text.len()))
                };
                Ok(batch.values(place, text))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn scalars(&mut self, count: usize, row: u32) -> Result<Values<'a>> {
        let Kind::Scalar { unsigned } = self.leaf.kind else { return Err(self.unexpected()) };
        let place = (self.leaf, self.file, row);
        let scalar = |json: Json| Some((json, 0));
        Ok(match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                guarded(self.file, || Batch::read(reader, count))?.values(place, move |value| scalar(value.into()))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                let number = move |value: i32| if unsigned { Json::from(value as u32) } else { Json::from(value) };
                guarded(self.file, || Batch::read(reader, count))?.values(place, move |value| scalar(number(value)))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                let number = move |value: i64| if unsigned { Json::from(value as u64) } else { Json::from(value) };
                guarded(self.file, || Batch::read(reader, count))?.values(place, move |value| scalar(number(value)))
            }
            ColumnReader::FloatColumnReader(reader) => {
                // By its digits, so that 0.1 stays 0.1; NaN is null, as everywhere in JSON.
                let number = |value: f32| Json::from(value.to_string().parse::<f64>().unwrap_or(f64::NAN));
                guarded(self.file, || Batch::read(reader, count))?.values(place, move |value| scalar(number(value)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                guarded(self.file, || Batch::read(reader, count))?.values(place, move |value| scalar(value.into()))
            }
            _ => return Err(self.unexpected()),
        })
    }

    /// The error of a row group whose metadata contradict those of the file.
    fn unexpected(&self) -> Error {
        damaged(self.file, ParquetError::General(format!("the pages of `{}` have another type", self.leaf.name)))
    }
}

/// The levels and values of some rows.
struct Batch<V> {
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    values: Vec<V>,
}

impl<V> Batch<V> {
    fn read<T: DataType<T = V>>(reader: &mut ColumnReaderImpl<T>, count: usize) -> Result<Batch<V>, ParquetError> {
        let mut batch = Batch { definitions: Vec::new(), repetitions: Vec::new(), values: Vec::new() };
        let mut records = 0;
        while records < count {
            let Batch { definitions, repetitions, values } = &mut batch;
            let (more, ..) = reader.read_records(count - records, Some(definitions), Some(repetitions), values)?;
            if more == 0 {
                break;
            }
            records += more;
        }
        Ok(batch)
    }

    /// A value for each row; `json` makes one, and says how many bytes of text it has.
    fn values<'a>(
        self,
        (leaf, file, row): (&'a Leaf, &'a str, u32),
        json: impl Fn(V) -> Option<(Json, usize)> + 'a,
    ) -> Values<'a>
    where
        V: 'a,
    {
        let Batch { definitions, repetitions, values } = self;
        let levels = (definitions.into_iter(), repetitions.into_iter().peekable());
        Box::new(Rows { leaf, file, row, levels, values: values.into_iter(), json })
    }
}

/// Rows as they are put together: null, a scalar, or a list.
struct Rows<'a, V, F> {
    leaf: &'a Leaf,
    file: &'a str,
    row: u32,
    levels: (IntoIter<i16>, Peekable<IntoIter<i16>>),
    values: IntoIter<V>,
    json: F,
}

impl<V, F: Fn(V) -> Option<(Json, usize)>> Iterator for Rows<'_, V, F> {
    type Item = Result<(Json, usize)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.row = self.row.saturating_add(1);
        match self.leaf.element_level {
            None if self.leaf.value_level == 0 => Some(self.values.next()?).map(|value| self.json(value)),
            None => {
                let level = self.levels.0.next()?;
                Some(self.value(level))
            }
            Some(element_level) => self.list(element_level),
        }
    }
}

impl<V, F: Fn(V) -> Option<(Json, usize)>> Rows<'_, V, F> {
    fn list(&mut self, element_level: i16) -> Option<Result<(Json, usize)>> {
        self.levels.1.next_if_eq(&0)?;
        let mut level = self.levels.0.next()?;
        if level + 1 < element_level {
            return Some(Ok((Json::Null, 0)));
        }
        let (mut items, mut bytes) = (Vec::new(), 0);
        while level >= element_level {
            let (item, more) = match self.value(level) {
                Ok(value) => value,
                Err(error) => return Some(Err(error)),
            };
            items.push(item);
            bytes += more + ITEM_BYTES;
            if bytes > LINE_BYTES_MAX {
                let accepted = format!("at most {} MiB as `{}`", LINE_BYTES_MAX >> 20, self.leaf.name);
                return Some(Err(malformed(self.file, self.row, accepted, "more".to_string(), "correct the value")));
            }
            if self.levels.1.next_if(|&repetition| repetition != 0).is_none() {
                break;
            }
            level = self.levels.0.next()?;
        }
        Some(Ok((Json::Array(items), bytes)))
    }

    fn value(&mut self, level: i16) -> Result<(Json, usize)> {
        let exists = level == self.leaf.value_level;
        match exists.then(|| self.values.next()).flatten() {
            Some(value) => self.json(value),
            None => Ok((Json::Null, 0)),
        }
    }

    fn json(&self, value: V) -> Result<(Json, usize)> {
        (self.json)(value).ok_or_else(|| {
            let (accepted, found) = (format!("UTF-8 as `{}`", self.leaf.name), "other bytes".to_string());
            malformed(self.file, self.row, accepted, found, "correct the value")
        })
    }
}
