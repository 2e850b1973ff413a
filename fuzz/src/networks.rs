//! What do the targets that build networks read into? A plan over two small files.

use polytask_data::open::Roots;
use polytask_train::{Plan, extensions};

use crate::files::Scratch;
use crate::seeds::NETWORK_DATA;

/// The plan of a configuration, whose files it writes first.
pub fn plan(config: &str, scratch: &Scratch) -> Plan {
    for (name, text) in NETWORK_DATA {
        scratch.write(name, text.as_bytes());
    }
    let roots = Roots { dirs: vec![scratch.folder().into()] };
    let parsed = polytask_spec::parse("polytask.toml", config, &[], &extensions());
    Plan::new(parsed.expect("the configuration is right").spec, &roots).expect("the data are right")
}
