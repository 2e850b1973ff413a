//! How do kernels take part in a burn graph?
//!
//! Each function records one operation that runs a kernel of this crate forward and backward. They stand for what a user
//! of burn would compose from its own operations, and mix freely with those. That composition is what runs on devices
//! other than Flex, whose memory no kernel can read, and everywhere after [`set_path`] with [`Path::Plain`]. Operations
//! without a kernel ([`gru()`], [`lstm()`], [`layer_norm`], [`self_attention`], [`weighted_mean`]) are that composition on
//! every path; products within them run as [`linear()`].

mod attention;
mod conv;
mod crf;
mod dropout;
mod gather;
mod gru;
mod host;
mod linear;
mod loss;
mod lstm;
mod norm;
mod plain;
mod plain_loss;
mod pool;
mod recurrent;
mod stepwise;
mod switch;

pub use attention::{self_attention, weighted_mean};
pub use conv::{Strongest, conv, conv_max, strongest_words, word_conv_max, word_conv_max_known};
pub use crf::{CrfTargets, crf};
pub use dropout::dropout;
pub use gather::gather;
pub use gru::{GruWeights, gru};
pub use host::{HostOp, Input, Keep, Operand, Outcome, apply};
pub use linear::{linear, product};
pub use loss::{absolute_error, binary_cross_entropy, class_loss, cross_entropy, gaussian_nll, huber, squared_error};
pub use lstm::{LstmWeights, bilstm, bilstm_words, lstm};
pub use norm::layer_norm;
pub use pool::{max_over_time, mean_over_time};
pub use switch::{Path, set_path};
