//! Parquet files of a few rows, by every encoding and compression that is read.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const SCHEMA: &str = "message rows {
    optional binary text (UTF8);
    required int64 label;
    optional double score;
    optional group topics (LIST) { repeated group list { optional binary element (UTF8); } }
    optional group tags (LIST) { repeated group list { optional int64 element; } }
}";

const CLASSES: &str = r#"{"info": {"features": {"label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}"#;

/// For Parquet; the first byte chooses the columns that are read.
pub fn parquet() -> Vec<Vec<u8>> {
    let with = |choice: u8, set: fn(WriterPropertiesBuilder) -> WriterPropertiesBuilder| {
        let file = file(set(WriterProperties::builder().set_created_by("fuzz".into())).build());
        [vec![choice], file].concat()
    };
    vec![
        with(2, |builder| builder),
        with(2, |builder| builder.set_dictionary_enabled(false)),
        with(2, |builder| builder.set_compression(Compression::SNAPPY)),
        with(1, |builder| builder.set_compression(Compression::GZIP(Default::default()))),
        with(0, |builder| builder.set_compression(Compression::ZSTD(ZstdLevel::default()))),
        with(2, |builder| builder.set_writer_version(WriterVersion::PARQUET_2_0).set_dictionary_enabled(false)),
        with(0, |builder| {
            let builder = builder.set_dictionary_enabled(false);
            builder.set_column_encoding("text".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        }),
        with(0, |builder| {
            let builder = builder.set_dictionary_enabled(false);
            builder.set_column_encoding("text".into(), Encoding::DELTA_BYTE_ARRAY)
        }),
        [b"\x00PAR1".as_slice(), &[0; 4], b"PAR1"].concat(),
    ]
}

fn file(properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).expect("the schema is right"));
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).expect("memory");
    writer.append_key_value_metadata(KeyValue::new("huggingface".into(), CLASSES.to_string()));
    let words = |words: &[&str]| words.iter().map(|word| ByteArray::from(*word)).collect::<Vec<_>>();
    let mut group = writer.next_row_group().expect("memory");
    let mut column = 0;
    while let Some(mut next) = group.next_column().expect("memory") {
        let written = match column {
            0 => next.typed::<ByteArrayType>().write_batch(&words(&["a fine", "a fine text"]), Some(&[1, 0, 1]), None),
            1 => next.typed::<Int64Type>().write_batch(&[0, 1, -1], None, None),
            2 => next.typed::<DoubleType>().write_batch(&[1.5, f64::NAN], Some(&[1, 1, 0]), None),
            3 => {
                let levels = (&[3, 2, 1, 3][..], &[0, 1, 0, 0][..]);
                next.typed::<ByteArrayType>().write_batch(&words(&["x", "y"]), Some(levels.0), Some(levels.1))
            }
            _ => next.typed::<Int64Type>().write_batch(&[1, 0, 7], Some(&[3, 3, 0, 3]), Some(&[0, 1, 0, 0])),
        };
        written.expect("memory");
        next.close().expect("memory");
        column += 1;
    }
    group.close().expect("memory");
    writer.into_inner().expect("memory")
}
