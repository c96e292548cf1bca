//! Tells the processor what will be read soon, where it can be told: a look into memory that nothing
//! foresees takes as long as a few hundred steps, and is over when the bytes are needed.

/// Asks for what stands at `at` of `slice`, or would stand there.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "an instruction of one kind of processor")]
#[inline]
pub(crate) fn prefetch<T>(slice: &[T], at: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    let there = slice.as_ptr().wrapping_add(at);
    // SAFETY: a hint, which no address makes fail.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(there.cast()) };
}

/// Does nothing: this processor is left to itself.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn prefetch<T>(_: &[T], _: usize) {}
