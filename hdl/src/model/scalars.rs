//! Jobs to run the model on.

/// A scalar, canonical, and the discrete logarithm of its point.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// Lowest word first.
    pub scalar: [u64; 4],
    /// The point.
    pub point: u64,
}

/// Distributions of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalars {
    /// Below the group order.
    Uniform,
    /// All one.
    One,
    /// All the same random number.
    Equal,
    /// Half zero, a third one, the rest of a bit length of 2 to 254.
    Witness,
    /// Uniform, and all points the same.
    SamePoint,
}

impl Scalars {
    /// Every distribution.
    pub const ALL: [Scalars; 5] =
        [Scalars::Uniform, Scalars::One, Scalars::Equal, Scalars::Witness, Scalars::SamePoint];

    /// The distribution's name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Scalars::Uniform => "uniform",
            Scalars::One => "one",
            Scalars::Equal => "equal",
            Scalars::Witness => "witness",
            Scalars::SamePoint => "same-point",
        }
    }
}

/// Top word of the order of BN254's G1.
const TOP: u64 = 0x3064_4e72_e131_a029;

/// A stream of elements, the same each time.
pub fn elements(scalars: Scalars) -> impl FnMut() -> Element {
    let mut state = 0x5eed_u64;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let fixed = [random(), random(), random(), random() % TOP];
    move || {
        let uniform = [random(), random(), random(), random() % TOP];
        let scalar = match scalars {
            Scalars::Uniform | Scalars::SamePoint => uniform,
            Scalars::One => [1, 0, 0, 0],
            Scalars::Equal => fixed,
            Scalars::Witness => match random() % 6 {
                0..3 => [0; 4],
                3..5 => [1, 0, 0, 0],
                _ => {
                    let bits = 2 + random() % 253;
                    std::array::from_fn(|word| {
                        let low = 64 * word as u64;
                        let word = uniform[word];
                        match bits.saturating_sub(low) {
                            0 => 0,
                            left @ 1..=63 => word & ((1 << left) - 1) | 1 << (left - 1),
                            64 => word | 1 << 63,
                            _ => word,
                        }
                    })
                }
            },
        };
        let point = if scalars == Scalars::SamePoint { 1 } else { random() };
        Element { scalar, point }
    }
}
