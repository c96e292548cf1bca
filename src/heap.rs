//! What the allocator keeps for later.

/// Gives freed memory back to the system: an allocator keeps it, between pieces that are still in
/// use, for requests of the same size, which after a phase of the program may never come.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
pub(crate) fn give_back() {
    // SAFETY: only pages that hold nothing are given back; any thread may ask for it at any time
    // (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

/// Does nothing: this allocator is left to itself.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}
