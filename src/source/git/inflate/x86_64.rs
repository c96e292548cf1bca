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
pub(super) fn run(bits: &mut Bits<'_>, tables: &Tables, output: &mut Output<'_>) -> Stop {
    debug_assert!(is_supported());
    // SAFETY: whoever calls has asked whether the processor can.
    unsafe {
        match tables.root_bits {
            8 => run_for::<8>(bits, tables, output),
            9 => run_for::<9>(bits, tables, output),
            10 => run_for::<10>(bits, tables, output),
            _ => run_for::<11>(bits, tables, output),
        }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline(never)]
fn run_for<const ROOT_BITS: u32>(
    bits: &mut Bits<'_>,
    tables: &Tables,
    output: &mut Output<'_>,
) -> Stop {
    steps::<ROOT_BITS>(bits, tables, output)
}
