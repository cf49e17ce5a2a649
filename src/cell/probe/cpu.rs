//! The x86-64 microarchitecture level of this processor (x86-64 psABI, section "Micro-Architecture Levels").

/// Returns the level, 1 to 4. `None` on other architectures.
#[cfg(target_arch = "x86_64")]
pub(super) fn level() -> Option<u8> {
    use std::arch::is_x86_feature_detected as has;
    let v2 = has!("cmpxchg16b") && has!("popcnt") && has!("sse3") && has!("sse4.1") && has!("sse4.2") && has!("ssse3");
    let v3 = has!("avx")
        && has!("avx2")
        && has!("bmi1")
        && has!("bmi2")
        && has!("f16c")
        && has!("fma")
        && has!("lzcnt")
        && has!("movbe");
    let v4 = has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
    Some(match (v2, v3, v4) {
        (true, true, true) => 4,
        (true, true, false) => 3,
        (true, false, _) => 2,
        (false, ..) => 1,
    })
}

/// Returns the level, 1 to 4. `None` on other architectures.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn level() -> Option<u8> {
    None
}
