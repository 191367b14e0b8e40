//! What is printed of proofs.

use super::Found;
use super::catalog::{Method, Open, Proof};
use super::check::Verdict;
use serde_json::{Value, json};

/// What there is to prove, a paragraph a proof.
pub fn list(proofs: &[Proof]) -> String {
    let paragraph = |proof: &Proof| {
        format!(
            "{} ({}, {}, {})\n    {}\n    twin: {}\n",
            proof.name,
            proof.block,
            proof.harness.join(" and "),
            method(proof),
            proof.claim,
            proof.twin.fault
        )
    };
    proofs.iter().map(paragraph).collect()
}

fn method(proof: &Proof) -> String {
    match proof.method {
        Method::Induction => "induction".to_owned(),
        Method::Bounded => format!("bounded, {} cycles", proof.depth),
    }
}

/// A proof in a line; what is wrong with it below.
pub fn row(proof: &Proof, found: &Found, width: usize) -> String {
    let name = &proof.name;
    let (outcome, kept) = match found {
        Ok(found) => found,
        Err(error) => return format!("{name:width$}  ERROR {error:#}\n"),
    };
    let word = |verdict: &Verdict| if *verdict == Verdict::Passed { "PASS" } else { "FAIL" };
    let twin = match &outcome.twin {
        Verdict::Passed => "PASS, which it must not",
        Verdict::Failed(_) => "FAIL as expected",
    };
    let solvers = if proof.second_solver { "Yices and Z3" } else { "Yices" };
    let kept = if *kept { ", kept" } else { "" };
    let mut text = format!(
        "{name:width$}  {} ({}, {solvers}, {:.1} s{kept}) | twin: {twin}\n",
        word(&outcome.claim),
        method(proof),
        outcome.seconds
    );
    for verdict in [&outcome.claim, &outcome.covered] {
        if let Verdict::Failed(lines) = verdict {
            text.extend(lines.iter().map(|line| format!("{:width$}  {line}\n", "")));
        }
    }
    text
}

/// A claim that nobody has decided.
pub fn open_row(open: &Open, width: usize) -> String {
    format!("{:width$}  NOT CLOSED: {}\n", open.name, open.reason)
}

/// All of it for programs.
pub fn json(proofs: &[Proof], found: &[Found], open: &[Open], tool: &str) -> Value {
    let one = |(proof, found): (&Proof, &Found)| match found {
        Ok((outcome, kept)) => json!({
            "proof": proof, "outcome": outcome, "kept": kept, "good": outcome.is_good(),
        }),
        Err(error) => json!({ "proof": proof, "error": format!("{error:#}"), "good": false }),
    };
    json!({ "tool": tool, "proofs": proofs.iter().zip(found).map(one).collect::<Vec<_>>(), "open": open })
}
