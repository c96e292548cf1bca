//! The detectors of `detectors/*.toml`, validated and written out as constants by `build.rs`.

use std::borrow::Cow::Borrowed;

use super::{
    Class, Context, Detector, FindPart, Glance, Near, Part, PartRule, Pass, Shape, ValueKind,
};
use crate::model::{Confidence, Lifetime, MintsTrust, Severity};

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
