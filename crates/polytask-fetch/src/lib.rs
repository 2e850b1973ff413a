//! Where do known datasets come from?
//!
//! [`catalogue`] names datasets and word vectors and the places that publish them. [`fetch`] brings a file from such a
//! place into a folder: what broke off goes on where it stopped, what came is checked, and a file appears under its
//! name only when it is whole and right. [`unpack`] opens an archive where readers need its files.
//!
//! Nothing here prints or reads the environment: proxy, folder and patience are given, progress is told as [`Event`]s.

pub mod catalogue;
mod client;
mod digest;
mod error;
mod fetch;
mod lock;
mod partial;
mod transfer;
mod unpack;

pub use client::Patience;
pub use digest::sha256;
pub use error::{Error, Result};
pub use fetch::{Event, Fetched, Options, Source, Trust, fetch};
pub use lock::lock_path;
pub use unpack::unpack;
