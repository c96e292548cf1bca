//! The decoder of symbols, compiled for processors that shift by a number in any register (BMI2) and
//! copy 32 bytes at once (AVX).
#![expect(unsafe_code, reason = "instructions that not every processor has")]

use super::bits::Bits;
use super::output::Output;
use super::symbols::{Stop, steps};
use super::tables::Tables;

/// Whether this processor can run it.
pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

/// As [`steps`]. Only where [`is_supported`].
pub(super) fn run<const ROOT_BITS: u32>(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Stop {
    debug_assert!(is_supported());
    // SAFETY: whoever calls has asked whether the processor can.
    unsafe { run_here::<ROOT_BITS>(bits, tables, output) }
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline(never)]
fn run_here<const ROOT_BITS: u32>(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Stop {
    steps::<ROOT_BITS>(bits, tables, output)
}
