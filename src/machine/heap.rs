//! What the allocator keeps for later.
//!
//! A sweep and its attribution are phases, each with large lists of its own; what one frees, the next
//! one should find.

/// Asks for large pieces to be mapped one by one, so that they go back to the system when they are
/// freed, and grow without a copy. Without it, the C library raises the size from which it does that
/// to that of the largest piece freed so far (mallopt(3), `M_MMAP_THRESHOLD`).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
pub(crate) fn map_large_pieces() {
    const LARGE: i32 = 1 << 20;
    // SAFETY: a setting of the allocator, which may be made at any time.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
}

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
pub(crate) fn map_large_pieces() {}

/// Does nothing: this allocator is left to itself.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}
