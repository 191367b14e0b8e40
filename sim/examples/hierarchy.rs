//! What Verilating the field multiplier on its own costs and gains: the complete adder of a profile (or, with a second
//! argument `card`, its whole card) is built flat and hierarchically and run on the same random inputs.
//!
//! ```text
//! SPANDREL_HOME=$(mktemp -d) cargo run -p spandrel-sim --example hierarchy [PROFILE [adder|card]]
//! ```
//!
//! Models that are in the cache already show a build of no time, hence the empty folder.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::Block;
use spandrel_hdl::card::Card;
use spandrel_hdl::curve::complete_adder;
use spandrel_hdl::emit::{Emitted, Port, PortDirection, emit};
use spandrel_hdl::profile::Profile;
use spandrel_sim::model::{BuildOptions, ModelLibrary};
use std::error::Error;
use std::time::Instant;

const CYCLES: u32 = 200_000;

/// Processor seconds of this process and of its ended children, the compilers; in ticks of 10 ms, as Linux gives them.
fn processor_seconds() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the program's name, which is in parentheses, utime, stime, cutime and cstime are the 12th to the 15th field.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let seconds: Vec<f64> = fields.skip(11).take(4).filter_map(|field| field.parse().ok()).collect();
    match seconds[..] {
        [user, system, child_user, child_system] => {
            ((user + system) / 100.0, (child_user + child_system) / 100.0)
        }
        _ => (0.0, 0.0),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let profile = Profile::load(arguments.next().as_deref().unwrap_or("sim-small"))?;
    let design = match arguments.next().as_deref() {
        None | Some("adder") => complete_adder(profile.first_curve(), &profile.datapath, 20).emitted(),
        Some("card") => {
            let mut card = Card::new(&profile, 0);
            card.connect_all();
            emit(&card, "spandrel_card")?
        }
        Some(other) => return Err(format!("{other} is neither adder nor card").into()),
    };
    // What all models share, Verilator's runtime, is not to count.
    let ports = ["a", "y"].map(|name| Port {
        name: name.to_owned(),
        direction: if name == "a" { PortDirection::Input } else { PortDirection::Output },
        width: 1,
    });
    let text = "module inner(a, y);\ninput wire a;\noutput wire y;\nassign y = ~a;\nendmodule\n\
                module outer(a, y);\ninput wire a;\noutput wire y;\ninner i(.a(a), .y(y));\nendmodule\n";
    let warm_up = Emitted::from_verilog("outer", text, ports.into());
    let options = |module: Option<&str>| BuildOptions {
        hierarchy: module.map(str::to_owned).into_iter().collect(),
        ..Default::default()
    };
    let mut digests = Vec::new();
    for (kind, module) in [("flat", None), ("hierarchical", Some("mont_mul_fq"))] {
        ModelLibrary::build(&warm_up, &options(module.map(|_| "inner")))?;
        let (before, started) = (processor_seconds().1, Instant::now());
        let library = ModelLibrary::build(&design, &options(module))?;
        let (build_cpu, build) = (processor_seconds().1 - before, started.elapsed().as_secs_f64());
        let (seconds, digest) = run(&library)?;
        println!(
            "{kind}: built in {build:.1} s ({build_cpu:.1} s of processor time), {:.1} kHz",
            f64::from(CYCLES) / seconds / 1e3
        );
        digests.push(digest);
    }
    if digests[0] != digests[1] {
        return Err("the outputs differ".into());
    }
    println!("the outputs are the same in {CYCLES} cycles");
    Ok(())
}

/// Random inputs for [`CYCLES`]; the processor seconds that took and a checksum over all outputs of all cycles.
fn run(library: &std::sync::Arc<ModelLibrary>) -> Result<(f64, u64), Box<dyn Error>> {
    let mut model = library.instance();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for port in library.ports().iter().filter(|port| port.name != "clock") {
        let handle = model.port(&port.name)?;
        match port.direction {
            PortDirection::Input => inputs.push((handle, port.width.div_ceil(8), port.name == "reset")),
            PortDirection::Output => outputs.push(handle),
        }
    }
    let started = processor_seconds().0;
    let (mut digest, mut bytes) = (0u64, Vec::new());
    for cycle in 0..CYCLES {
        for &(handle, length, is_reset) in &inputs {
            if is_reset {
                model.set_u64(handle, u64::from(cycle < 10));
                continue;
            }
            bytes.resize(length, 0);
            rng.fill(&mut bytes[..]);
            model.set_bytes(handle, &bytes);
        }
        model.clock_cycle();
        for &handle in &outputs {
            for byte in model.bytes(handle) {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(5);
            }
        }
    }
    Ok((processor_seconds().0 - started, digest))
}
