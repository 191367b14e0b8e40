//! Seeded decisions on when to hold a handshake back.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Decides, cycle by cycle, whether one side of a handshake holds back. The same seed gives the same decisions.
#[derive(Clone, Debug)]
pub struct Stalls {
    /// `None`: never.
    random: Option<Random>,
    /// Cycles left of a long stall.
    long: u32,
}

#[derive(Clone, Debug)]
struct Random {
    generator: ChaCha8Rng,
    /// A cycle is a stall where a random byte is below this.
    threshold: u8,
}

impl Stalls {
    /// Never holds back.
    pub fn none() -> Stalls {
        Stalls { random: None, long: 0 }
    }

    /// Holds back in about `percent` of all cycles (0 to 95; 0 is [`Stalls::none`]), now and then for up to 64 cycles in
    /// a row, so that FIFOs run full and empty.
    pub fn random(seed: u64, percent: u8) -> Stalls {
        if percent == 0 {
            return Stalls::none();
        }
        let threshold = (u32::from(percent.min(95)) * 256 / 100) as u8;
        Stalls { random: Some(Random { generator: ChaCha8Rng::seed_from_u64(seed), threshold }), long: 0 }
    }

    /// Whether to hold back in this cycle; to be called once a cycle.
    #[inline]
    pub fn hold(&mut self) -> bool {
        let Some(random) = &mut self.random else { return false };
        if self.long > 0 {
            self.long -= 1;
            return true;
        }
        let draw: u32 = random.generator.r#gen();
        if draw >> 24 == 0 && draw & 0x300 == 0 {
            self.long = draw >> 16 & 63;
        }
        ((draw & 0xff) as u8) < random.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stalls_are_repeatable_and_about_as_frequent_as_asked() {
        let count = |seed, percent| {
            let mut stalls = Stalls::random(seed, percent);
            (0..100_000).filter(|_| stalls.hold()).count()
        };
        assert_eq!(count(1, 0), 0);
        assert_eq!(count(1, 30), count(1, 30));
        assert_ne!(count(1, 30), count(2, 30));
        assert!((28_000..40_000).contains(&count(1, 30)), "{}", count(1, 30));
        assert!(count(1, 95) < 99_000);
    }
}
