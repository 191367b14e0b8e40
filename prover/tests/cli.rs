//! The `spandrel` command, through its binary.

mod common;

use common::{SMALL, files, put, run, wtns_sections};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A directory with key, witness and verification key.
fn workspace() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "a.zkey", &SMALL.zkey);
    put(directory.path(), "a.wtns", &SMALL.wtns);
    put(directory.path(), "vk.json", verifying_key_json().as_bytes());
    directory
}

fn verifying_key_json() -> String {
    let vk = &SMALL.key.vk;
    let g1 = |point: &ark_bn254::G1Affine| serde_json::json!([point.x.to_string(), point.y.to_string(), "1"]);
    let pair = |element: &ark_bn254::Fq2| [element.c0.to_string(), element.c1.to_string()];
    let g2 = |point: &ark_bn254::G2Affine| serde_json::json!([pair(&point.x), pair(&point.y), ["1", "0"]]);
    serde_json::json!({
        "protocol": "groth16", "curve": "bn128", "nPublic": SMALL.public,
        "vk_alpha_1": g1(&vk.alpha_g1), "vk_beta_2": g2(&vk.beta_g2), "vk_gamma_2": g2(&vk.gamma_g2),
        "vk_delta_2": g2(&vk.delta_g2), "IC": vk.gamma_abc_g1.iter().map(g1).collect::<Vec<_>>(),
    })
    .to_string()
}

const PROVE: [&str; 5] = ["prove", "a.zkey", "a.wtns", "proof.json", "public.json"];
const VERIFY: [&str; 4] = ["verify", "vk.json", "public.json", "proof.json"];

const INPUTS: [&str; 3] = ["a.wtns", "a.zkey", "vk.json"];

#[test]
fn proves_and_verifies() {
    let directory = workspace();
    let (out, err) = run(directory.path(), 0, &PROVE);
    assert!(
        out.contains("Proof verified and written to proof.json") && out.contains("quotient (NTT)"),
        "{out}"
    );
    // No progress bar where nobody looks.
    assert_eq!(err, "");
    assert_eq!(files(directory.path()), ["a.wtns", "a.zkey", "proof.json", "public.json", "vk.json"]);
    assert!(run(directory.path(), 0, &VERIFY).0.contains("valid"));
    let (out, _) = run(directory.path(), 0, &[&VERIFY[..], &["--json"]].concat());
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["valid"], true);

    // Over existing files, with a report.
    let first = std::fs::read(directory.path().join("proof.json")).unwrap();
    let (out, _) = run(directory.path(), 0, &[&PROVE[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["backend"], "cpu");
    assert_eq!(report["msms"].as_array().unwrap().len(), 4);
    assert_eq!(report["total"], Value::Null);
    assert_ne!(std::fs::read(directory.path().join("proof.json")).unwrap(), first);
    run(directory.path(), 0, &VERIFY);
}

#[test]
fn a_wrong_proof_is_told_apart_from_unusable_files() {
    let directory = workspace();
    run(directory.path(), 0, &PROVE);
    let public = std::fs::read_to_string(directory.path().join("public.json")).unwrap();
    let signal = public.split('"').nth(1).unwrap();
    put(directory.path(), "public.json", public.replacen(signal, "5", 1).as_bytes());
    let (_, err) = run(directory.path(), 5, &VERIFY);
    assert!(err.contains("NOT valid"), "{err}");
    let (out, _) = run(directory.path(), 5, &[&VERIFY[..], &["--json"]].concat());
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["valid"], false);
    put(directory.path(), "public.json", b"[\"5\"]");
    let (_, err) = run(directory.path(), 3, &VERIFY);
    assert!(err.contains("2 public signals, but 1"), "{err}");
    let (_, err) = run(directory.path(), 3, &["verify", "public.json", "vk.json", "proof.json"]);
    assert!(err.contains("public.json") && err.contains("what to do: "), "{err}");
    run(directory.path(), 3, &["verify", "none.json", "public.json", "proof.json"]);
}

#[test]
fn bad_inputs_leave_no_output() {
    let other = wtns_sections(&SMALL.assignment[..7]).file();
    let mut unsatisfying = SMALL.assignment.clone();
    unsatisfying[4] += ark_bn254::Fr::from(1);
    let mut off_curve = SMALL.zkey.clone();
    let last = off_curve.len() - 100;
    off_curve[last - 128] ^= 1;
    let cases: [(&str, Vec<u8>, i32, &str); 6] = [
        ("a.zkey", SMALL.zkey[..SMALL.zkey.len() / 2].to_vec(), 3, "a.zkey"),
        ("a.wtns", SMALL.wtns[..SMALL.wtns.len() - 1].to_vec(), 3, "a.wtns"),
        ("a.zkey", SMALL.wtns.clone(), 3, "order of the arguments"),
        ("a.wtns", other, 3, "different circuits"),
        ("a.zkey", off_curve, 3, "not on the curve"),
        ("a.wtns", wtns_sections(&unsatisfying).file(), 5, "does not verify"),
    ];
    for (name, content, code, message) in cases {
        let directory = workspace();
        put(directory.path(), name, &content);
        let (out, err) = run(directory.path(), code, &PROVE);
        assert!(err.contains(message) && out.is_empty(), "{err}");
        assert_eq!(files(directory.path()), INPUTS, "{message}");
    }
}

#[test]
fn outputs_that_cannot_be_written_are_refused_before_the_work() {
    let directory = workspace();
    std::fs::create_dir(directory.path().join("sub")).unwrap();
    let before = files(directory.path());
    let cases = [
        ["missing/proof.json", "public.json", "create it first"],
        ["proof.json", "sub", "not a regular file"],
        ["proof.json", "./proof.json", "another file of this command"],
        ["a.zkey", "public.json", "another file of this command"],
        ["proof.json", "sub/../a.wtns", "another file of this command"],
        ["a.zkey/proof.json", "public.json", "not a directory"],
        ["proof.json", "/dev/null", "not a regular file"],
    ];
    for [proof, public, message] in cases {
        let (_, err) = run(directory.path(), 6, &["prove", "a.zkey", "a.wtns", proof, public]);
        assert!(err.contains(message), "{err}");
        assert_eq!(files(directory.path()), before);
    }
    assert_eq!(std::fs::read(directory.path().join("a.zkey")).unwrap(), SMALL.zkey);
}

#[test]
fn usage_errors_end_with_two() {
    let directory = workspace();
    let cases: [&[&str]; 10] = [
        &[],
        &["prove", "a.zkey"],
        &["frobnicate"],
        &[&PROVE[..], &["--backend", "gpu"]].concat(),
        &[&PROVE[..], &["--card", "sim"]].concat(),
        &[&PROVE[..], &["--window-bits", "8"]].concat(),
        &["bench", "msm", "--plot", "out.svg"],
        &["msm", "--curve", "secp256k1"],
        &["bench", "msm", "--points", "many"],
        &["msm", "--bases-file", "a.zkey"],
    ];
    for arguments in cases {
        let (_, err) = run(directory.path(), 2, arguments);
        assert!(!err.is_empty());
    }
    assert_eq!(files(directory.path()), INPUTS);
}

#[test]
fn help_teaches() {
    let directory = workspace();
    let (help, _) = run(directory.path(), 0, &["--help"]);
    for line in ["Exit codes:", "130  interrupted", "prove", "verify", "bench"] {
        assert!(help.contains(line), "{help}");
    }
    let (help, _) = run(directory.path(), 0, &["prove", "--help"]);
    assert!(help.contains("Examples:") && help.contains("--backend dual"), "{help}");
}

#[test]
fn msm_of_files_equals_msm_of_their_seed() {
    use spandrel::workload::{Distribution, bases, scalars};
    let directory = workspace();
    put(directory.path(), "bases.bin", &bases(30, 9));
    put(directory.path(), "scalars.bin", &scalars(30, Distribution::Witness, 9));
    let from_seed = ["msm", "--points", "30", "--seed", "9", "--scalars", "witness"];
    let from_files = ["msm", "--bases-file", "bases.bin", "--scalars-file", "scalars.bin"];
    let (seed, _) = run(directory.path(), 0, &from_seed);
    assert_eq!(run(directory.path(), 0, &from_files).0, seed);
    assert!(seed.starts_with("x = "), "{seed}");
    let (zero, _) = run(directory.path(), 0, &["msm", "--points", "3", "--scalars", "zero"]);
    assert_eq!(zero, "infinity\n");

    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("bases.bin", vec![1; 64 * 30], "point 0 is not on the curve"),
        ("bases.bin", vec![0; 65], "whole number of points"),
        ("bases.bin", vec![0; 64], "960 were given"),
        ("scalars.bin", vec![0xff; 32 * 30], "scalar 0 is not below"),
    ];
    for (name, content, message) in cases {
        put(directory.path(), "bases.bin", &bases(30, 9));
        put(directory.path(), name, &content);
        let (_, err) = run(directory.path(), 3, &from_files);
        assert!(err.contains(message), "{err}");
    }
}

#[test]
fn msm_is_on_the_curve_and_the_bases_asked_for() {
    let directory = workspace();
    let sum = |arguments: &[&str]| {
        let arguments = [&["msm", "--points", "20", "--seed", "3", "--json"], arguments].concat();
        let report: Value = serde_json::from_str(&run(directory.path(), 0, &arguments).0).unwrap();
        (report["x"].as_str().unwrap().to_owned(), report["y"].as_str().unwrap().to_owned())
    };
    let on_g1 = sum(&[]);
    let on_grumpkin = sum(&["--curve", "grumpkin"]);
    assert_ne!(on_g1, on_grumpkin);
    let [x, y] = [&on_grumpkin.0, &on_grumpkin.1].map(|text| text.parse::<ark_bn254::Fr>().unwrap());
    assert_eq!(y * y, x * x * x - ark_bn254::Fr::from(17));
    // Twenty times the same point is one time its twentyfold.
    let ones = sum(&["--bases", "equal", "--scalars", "one"]);
    let first = spandrel::workload::bases(1, 3);
    let point = spandrel::formats::g1_from_bytes(first.as_slice().try_into().unwrap()).unwrap();
    let twenty: ark_bn254::G1Affine = (point * ark_bn254::Fr::from(20)).into();
    assert_eq!(ones, (twenty.x.to_string(), twenty.y.to_string()));
}

#[test]
fn bench_msm_reports_json() {
    let directory = workspace();
    let arguments = ["bench", "msm", "--points", "100", "--scalars", "equal", "--seed", "4", "--json"];
    let report: Value = serde_json::from_str(&run(directory.path(), 0, &arguments).0).unwrap();
    assert_eq!((&report["points"], &report["scalars"]), (&100.into(), &"equal".into()));
    assert_eq!(report["equal"], Value::Null);
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
}

/// The sample circuit, whose key is from a real ceremony of snarkjs and whose public signals snarkjs wrote.
#[test]
fn proves_the_sample_circuit() {
    let build = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../circuits/merkle/build");
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| build.join(name).to_str().unwrap().to_owned();
    let (zkey, wtns, vk) = (path("merkle.zkey"), path("merkle.wtns"), path("vk.json"));
    run(directory.path(), 0, &["prove", &zkey, &wtns, "proof.json", "public.json"]);
    run(directory.path(), 0, &["verify", &vk, "public.json", "proof.json"]);
    let read = |path: PathBuf| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(read(directory.path().join("public.json")), read(build.join("public.json")));
}

/// Ctrl-C or a request to end at any moment leaves whole outputs or none, and no temporary file.
#[test]
#[cfg(unix)]
fn an_interrupt_leaves_nothing_half_written() {
    let directory = workspace();
    let mut interrupted = 0;
    for delay in 0..12 {
        for name in ["proof.json", "public.json"] {
            let _ = std::fs::remove_file(directory.path().join(name));
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_spandrel"))
            .current_dir(directory.path())
            .args(PROVE)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(5 * delay));
        // The only use of another program: the standard library sends no signal but SIGKILL.
        let _ = Command::new("kill")
            .args([if delay % 2 == 0 { "-INT" } else { "-TERM" }, &child.id().to_string()])
            .status();
        let code = child.wait().unwrap().code();
        let outputs = files(directory.path()).len() - INPUTS.len();
        match code {
            Some(0) => assert_eq!(outputs, 2),
            // A signal before the handler is in place ends the process without a code.
            Some(130) | None => {
                interrupted += 1;
                assert!(outputs == 0 || outputs == 2, "{:?}", files(directory.path()));
            }
            other => panic!("exit code {other:?}"),
        }
    }
    assert!(interrupted > 0, "no delay was short enough");
}
