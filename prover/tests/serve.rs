//! `spandrel sim serve` and `--card vfio-user:PATH`: the real Verilated card, its server and its clients each a process of
//! their own, and both ends killed at the worst moment.

mod common;

use common::{SMALL, put};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Within this, anything that is to end has ended.
const PATIENCE: Duration = Duration::from_secs(60);

fn spandrel(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spandrel"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn run(code: i32, arguments: &[&str]) -> (String, String) {
    let output = spandrel(arguments).output().unwrap();
    texts(&output, code)
}

#[track_caller]
fn texts(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

/// A server in a process of its own.
struct Served {
    child: Child,
    path: PathBuf,
}

impl Served {
    fn start(path: &Path, more: &[&str]) -> Served {
        let socket = path.to_str().unwrap();
        let (served, ready) = Served::spawn(&[&["--socket", socket], more].concat());
        assert_eq!(
            (&ready["listening"], &ready["card"]),
            (&Value::from(socket), &Value::from("sim:sim-pcie"))
        );
        served
    }

    /// A card at a terminal, whose path is `path`.
    fn terminal(more: &[&str]) -> Served {
        Served::spawn(&[&["--pty"], more].concat()).0
    }

    fn spawn(more: &[&str]) -> (Served, Value) {
        let mut child = spandrel(&[&["sim", "serve", "--json"], more].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("the server does not start: {why}");
        }
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["pid"], child.id());
        (Served { child, path: ready["listening"].as_str().unwrap().into() }, ready)
    }

    fn card(&self) -> String {
        format!("vfio-user:{}", self.path.display())
    }

    fn signal(&self, signal: i32) {
        kill(&self.child, signal);
    }

    /// The exit code; `None` where a signal ended it.
    fn end(mut self) -> Option<i32> {
        wait(&mut self.child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(child: &Child, signal: i32) {
    // SAFETY: signals a child that has not been waited for, so its number is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

fn wait(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < deadline, "a process does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Processor time of a process so far, in clock ticks (1/100 s).
fn ticks(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn workspace() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "a.zkey", &SMALL.zkey);
    put(directory.path(), "a.wtns", &SMALL.wtns);
    directory
}

#[test]
fn a_served_card_gives_the_same_proofs_as_one_in_this_process() {
    let directory = workspace();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let served = Served::start(&directory.path().join("card"), &[]);
    let prove = |name: &str, more: &[&str]| {
        let (proof, public) = (at(&format!("{name}.json")), at(&format!("{name}.public.json")));
        let seed = ["--insecure-blinding-seed", "7", "--json"];
        let files = ["prove", &at("a.zkey"), &at("a.wtns"), &proof, &public];
        let (report, _) = run(0, &[&files[..], &seed, more].concat());
        let report: Value = serde_json::from_str(&report).unwrap();
        (std::fs::read_to_string(proof).unwrap(), report)
    };
    let (expected, _) = prove("cpu", &[]);
    let (in_process, here) = prove("here", &["--backend", "card", "--card", "sim:sim-pcie"]);
    let (over_socket, there) = prove("there", &["--backend", "card", "--card", &served.card()]);
    assert_eq!(in_process, expected);
    assert_eq!(over_socket, expected);
    let additions = |report: &Value| report["total"]["additions"].as_u64().unwrap();
    assert_eq!(additions(&here), additions(&there), "the card did the same work");
    assert!(there["backend"].as_str().unwrap().contains(&served.card()), "{}", there["backend"]);

    let (text, _) = run(0, &["card", "selftest", "--card", &served.card()]);
    assert!(text.contains("an MSM of 64 points equals the CPU's"), "{text}");
    let (_, error) = run(2, &["card", "info", "--card", &served.card(), "--stalls", "1"]);
    assert!(error.contains("sim serve"), "{error}");
    for nonsense in ["vfio-user:", "card", "0000:00"] {
        let (_, error) = run(2, &["card", "info", "--card", nonsense]);
        assert!(error.contains("there is no card"), "{error}");
    }
}

/// Every byte between the two processes goes over a line on which one in five thousand suffers something.
#[test]
fn a_card_at_a_terminal_gives_the_same_proofs() {
    let directory = workspace();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let served = Served::terminal(&["--line-faults", "50"]);
    let card = format!("serial:{}", served.path.display());
    let prove = |name: &str, more: &[&str]| {
        let (proof, public) = (at(&format!("{name}.json")), at(&format!("{name}.public.json")));
        let files = ["prove", &at("a.zkey"), &at("a.wtns"), &proof, &public, "--insecure-blinding-seed", "7"];
        run(0, &[&files[..], more].concat());
        std::fs::read_to_string(proof).unwrap()
    };
    // A client that is killed leaves a card that works, at whatever rate.
    let mut client =
        spandrel(&["msm", "--points", "64", "--backend", "card", "--card", &card]).spawn().unwrap();
    let (before, deadline) = (ticks(&served.child), Instant::now() + PATIENCE);
    while ticks(&served.child) < before + 20 {
        assert!(Instant::now() < deadline, "the card does not work");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (_, error) = run(4, &["card", "info", "--card", &card]);
    assert!(error.contains("in use"), "{error}");
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(prove("card", &["--backend", "card", "--card", &card]), prove("cpu", &[]));

    let (_, error) = run(2, &["card", "info", "--card", "serial:"]);
    assert!(error.contains("serial:/dev/ttyUSB0:3000000"), "{error}");
    let (_, error) = run(4, &["card", "info", "--card", "serial:/dev/no-such-device"]);
    assert!(error.contains("plugged in"), "{error}");
    let (_, error) = run(2, &["sim", "serve", "--pty", "--card", "sim:sim-small"]);
    assert!(error.contains("no serial line"), "{error}");
}

#[test]
fn either_end_may_be_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card");
    let served = Served::start(&path, &["--stalls", "3"]);
    let busy = || {
        let mut child =
            spandrel(&["msm", "--points", "20000", "--backend", "card", "--card", &served.card()]);
        let child = child.spawn().unwrap();
        // Until the card works: its server needs the processor.
        let (before, deadline) = (ticks(&served.child), Instant::now() + PATIENCE);
        while ticks(&served.child) < before + 40 {
            assert!(Instant::now() < deadline, "the card does not work");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    };
    // A client that is killed in the middle of a job leaves the card to the next one.
    let mut client = busy();
    let (_, error) = run(4, &["card", "info", "--card", &served.card()]);
    assert!(error.contains("in use"), "{error}");
    client.kill().unwrap();
    client.wait().unwrap();
    run(0, &["card", "selftest", "--card", &served.card()]);
    // An idle server needs no processor.
    std::thread::sleep(Duration::from_millis(300));
    let before = ticks(&served.child);
    std::thread::sleep(Duration::from_millis(300));
    assert!(ticks(&served.child) <= before + 2, "{} ticks in 0.3 s", ticks(&served.child) - before);
    // A server that is killed in the middle of a job ends it with an error.
    let mut client = busy();
    served.signal(libc::SIGKILL);
    let killed = Instant::now();
    assert_eq!(wait(&mut client), Some(4));
    assert!(killed.elapsed() < Duration::from_secs(10));
    let mut error = String::new();
    client.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(error.contains("has gone"), "{error}");
    assert_eq!(served.end(), None);
    // Its socket file is still there, and the next server takes its place.
    assert!(path.exists());
    let (_, error) = run(4, &["card", "info", "--card", &format!("vfio-user:{}", path.display())]);
    assert!(error.contains("spandrel sim serve"), "{error}");
    let served = Served::start(&path, &["--once"]);
    let (_, error) = run(1, &["sim", "serve", "--socket", path.to_str().unwrap()]);
    assert!(error.contains("served already"), "{error}");
    run(0, &["card", "info", "--card", &served.card()]);
    assert_eq!(served.end(), Some(0), "--once");
    assert!(!path.exists());
}

#[test]
fn ctrl_c_takes_the_socket_file_along() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card");
    let served = Served::start(&path, &[]);
    served.signal(libc::SIGINT);
    assert_eq!(served.end(), Some(130));
    assert!(!path.exists());
    let (_, error) = run(2, &["sim", "serve", "--socket", path.to_str().unwrap(), "--card", "sim:sim-small"]);
    assert!(error.contains("no PCIe endpoint"), "{error}");
}
