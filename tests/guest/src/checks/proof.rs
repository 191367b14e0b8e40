//! A Groth16 proof of the sample circuit through the card, by the command.

use crate::card::address;
use crate::runner::{Ended, output};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::{Duration, Instant};

pub fn run() -> Result<String> {
    let address = address()?.to_string();
    let begun = Instant::now();
    let proved = spandrel(
        &[
            "prove",
            "/circuit/merkle.zkey",
            "/circuit/merkle.wtns",
            "/tmp/proof.json",
            "/tmp/public.json",
            "--backend",
            "card",
            "--card",
            &address,
        ],
        120,
    )?;
    ensure!(proved.success, "spandrel prove ended with {}: {}", proved.status, proved.stderr);
    let seconds = begun.elapsed().as_secs_f64();
    let verify = || spandrel(&["verify", "/circuit/vk.json", "/tmp/public.json", "/tmp/proof.json"], 30);
    let verified = verify()?;
    ensure!(verified.success, "spandrel verify refused the proof: {}", verified.stderr);

    // A judge that accepts everything would be none.
    let public = std::fs::read_to_string("/tmp/public.json").context("there is no public.json")?;
    let at = public.rfind(|digit: char| digit.is_ascii_digit()).context("public.json has no number")?;
    let other = if public[at..].starts_with('0') { "1" } else { "0" };
    let changed = format!("{}{other}{}", &public[..at], &public[at + 1..]);
    std::fs::write("/tmp/public.json", changed).context("public.json cannot be changed")?;
    ensure!(!verify()?.success, "spandrel verify accepts the proof for another public input");
    Ok(format!("proved on the card in {seconds:.1} s and verified; refused for another input"))
}

fn spandrel(arguments: &[&str], seconds: u64) -> Result<Ended> {
    output(Command::new("/bin/spandrel").args(arguments), Duration::from_secs(seconds))
}
