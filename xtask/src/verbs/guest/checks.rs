//! What the test in the guest must pass, and what it said.

/// The checks, by the names under which the guest's test reports them, in its order.
///
/// They are listed here a second time on purpose: a check that vanishes from the guest's test is missed here.
pub const CHECKS: [&str; 12] = [
    "enumeration",
    "sysfs_bar",
    "polling",
    "vfio",
    "exclusive",
    "self_test",
    "interrupts",
    "msm",
    "proof",
    "dma_refused",
    "function_reset",
    "killed_mid_job",
];

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passed, with what it found.
    Passed(String),
    /// It failed, for this reason.
    Failed(String),
}

/// The verdicts so far, in the order of [`CHECKS`].
#[derive(Debug, Default)]
pub struct Verdicts {
    seen: Vec<(String, Verdict)>,
}

impl Verdicts {
    /// Takes in a line of the console; says whether it was a verdict.
    ///
    /// A verdict is `PASS name: detail` or `FAIL name: reason`.
    pub fn line(&mut self, line: &str) -> bool {
        type Make = fn(String) -> Verdict;
        let kinds: [(&str, Make); 2] = [("PASS ", Verdict::Passed), ("FAIL ", Verdict::Failed)];
        let parsed = kinds.iter().find_map(|(word, make)| {
            let (name, text) = line.strip_prefix(word)?.split_once(": ")?;
            let plain =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            plain.then(|| (name.to_owned(), make(text.to_owned())))
        });
        let Some((name, verdict)) = parsed else { return false };
        // A failure stands, whatever is said of the same check before or after it.
        match self.seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, Verdict::Failed(_))) => {}
            Some((_, known)) => *known = verdict,
            None => self.seen.push((name, verdict)),
        }
        true
    }

    /// Every check with its verdict; `why` says why the run ended before a check that has none. What the guest reports
    /// under a name that is not listed fails.
    pub fn close(&self, why: &str) -> Vec<(String, Verdict)> {
        let find = |name: &str| self.seen.iter().find(|(known, _)| known == name).map(|(_, verdict)| verdict);
        let mut all: Vec<_> = CHECKS
            .iter()
            .map(|name| {
                let verdict = find(name).cloned();
                ((*name).to_owned(), verdict.unwrap_or_else(|| Verdict::Failed(format!("no verdict: {why}"))))
            })
            .collect();
        for (name, _) in self.seen.iter().filter(|(name, _)| !CHECKS.contains(&name.as_str())) {
            let reason = "the guest's test reports a check that xtask does not know".to_owned();
            all.push((name.clone(), Verdict::Failed(reason)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_without_a_line_fails() {
        let mut verdicts = Verdicts::default();
        for name in &CHECKS[1..] {
            assert!(verdicts.line(&format!("PASS {name}: fine")));
        }
        let closed = verdicts.close("the guest powered off");
        assert_eq!(closed.len(), CHECKS.len());
        let failed: Vec<_> =
            closed.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Failed(_))).collect();
        let reason = Verdict::Failed("no verdict: the guest powered off".to_owned());
        assert_eq!(failed, [&(CHECKS[0].to_owned(), reason)]);
    }

    #[test]
    fn a_failure_stands_and_an_unknown_name_fails() {
        let mut verdicts = Verdicts::default();
        for line in ["PASS msm: 256", "FAIL msm: wrong: point", "PASS msm: 256", "PASS other: yes"] {
            assert!(verdicts.line(line), "{line}");
        }
        let closed = verdicts.close("");
        let of = |wanted: &str| closed.iter().find(|(name, _)| name == wanted).map(|(_, verdict)| verdict);
        assert_eq!(of("msm"), Some(&Verdict::Failed("wrong: point".to_owned())));
        assert!(matches!(of("other"), Some(Verdict::Failed(_))));
    }

    #[test]
    fn other_lines_are_no_verdicts() {
        let mut verdicts = Verdicts::default();
        for line in ["PASS", "PASS msm", " PASS msm: x", "PASSED msm: x", "PASS : x", "PASS a b: x"] {
            assert!(!verdicts.line(line), "{line}");
        }
    }
}
