//! Which instructions the first stage may use.

use std::fmt;
use std::str::FromStr;

/// A kernel of the first stage, named by the instructions that it needs. All find the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Simd {
    /// What every processor of the target has.
    Scalar,
    /// AVX2, BMI1 and BMI2.
    Avx2,
    /// AVX-512 F, BW, VL, VBMI and VBMI2.
    Avx512,
    /// NEON, which is part of every aarch64 processor.
    Neon,
}

/// A name that is no kernel's, or a kernel that this processor cannot run.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{name:?} is no kernel of this processor; use {}", supported())]
pub struct UnknownSimd {
    name: String,
}

impl Simd {
    /// All, the fastest first.
    const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Scalar];

    /// Those that this processor can run, the fastest first.
    pub fn supported() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|simd| simd.is_supported())
    }

    /// The fastest that this processor can run.
    pub fn best() -> Self {
        Self::supported().next().unwrap_or(Self::Scalar)
    }

    /// Whether this processor can run it.
    #[cfg(target_arch = "x86_64")]
    pub fn is_supported(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        match self {
            Self::Scalar => true,
            Self::Avx2 => avx2,
            Self::Avx512 => {
                avx2 && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vbmi")
                    && is_x86_feature_detected!("avx512vbmi2")
            }
            Self::Neon => false,
        }
    }

    /// Whether this processor can run it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_supported(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Neon => cfg!(target_arch = "aarch64"),
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }
}

impl fmt::Display for Simd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Simd {
    type Err = UnknownSimd;

    fn from_str(name: &str) -> Result<Self, UnknownSimd> {
        let mut supported = Self::supported();
        supported.find(|simd| simd.name() == name).ok_or_else(|| {
            let name = name.to_owned();
            UnknownSimd { name }
        })
    }
}

fn supported() -> String {
    let names: Vec<&str> = Simd::supported().map(Simd::name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_has_the_name_it_is_asked_by() {
        for simd in Simd::supported() {
            assert_eq!(simd.name().parse(), Ok(simd));
        }
        let error = "mmx".parse::<Simd>().expect_err("no kernel");
        assert!(error.to_string().contains("scalar"), "{error}");
    }
}
