use super::*;
use crate::SimError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spandrel_hdl::emit::{Emitted, Port, PortDirection};
use std::sync::Arc;

fn port(name: &str, direction: PortDirection, width: usize) -> Port {
    Port { name: name.to_owned(), direction, width }
}

fn input(name: &str, width: usize) -> Port {
    port(name, PortDirection::Input, width)
}

fn output(name: &str, width: usize) -> Port {
    port(name, PortDirection::Output, width)
}

/// A register of every kind of width, with an accumulator that `add` names.
fn widths() -> Emitted {
    let widths = [1, 7, 8, 13, 16, 31, 32, 33, 64, 65, 127, 256, 762];
    let mut ports = vec![input("clock", 1)];
    let (mut list, mut body) = (String::from("clock"), String::new());
    for width in widths {
        ports.extend([input(&format!("d{width}"), width), output(&format!("q__{width}"), width)]);
        list += &format!(", d{width}, q__{width}");
        body += &format!(
            "input wire [{msb}:0] d{width}; output reg [{msb}:0] q__{width};\n\
             always @(posedge clock) q__{width} <= q__{width} + d{width};\n\
             initial q__{width} = 0;\n",
            msb = width - 1
        );
    }
    Emitted::from_verilog(
        "widths",
        format!("module widths({list});\ninput wire clock;\n{body}endmodule\n"),
        ports,
    )
}

fn library(emitted: &Emitted) -> Arc<ModelLibrary> {
    ModelLibrary::build(emitted, &BuildOptions::default()).unwrap()
}

#[test]
fn ports_of_every_width_carry_their_values() {
    let library = library(&widths());
    let (mut model, mut other) = (library.instance(), library.instance());
    for width in [1usize, 7, 8, 13, 16, 31, 32, 33, 64, 65, 127, 256, 762] {
        let (d, q) = (model.port(&format!("d{width}")).unwrap(), model.port(&format!("q__{width}")).unwrap());
        assert_eq!((model.width(d), model.direction(q)), (width, PortDirection::Output));
        // All ones (more bytes than the port has), added twice: all ones but the lowest bit.
        let mut ones = vec![0xff; width.div_ceil(8) + 3];
        model.set_bytes(d, &ones);
        model.clock_cycle();
        model.clock_cycle();
        model.get_bytes(q, &mut ones);
        let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (at % 8) & 1;
        assert_eq!(bit(&ones, 0), 0);
        assert!((1..width).all(|at| bit(&ones, at) == 1), "{width}: {ones:x?}");
        assert!((width..ones.len() * 8).all(|at| bit(&ones, at) == 0), "{width}: {ones:x?}");
        // 64-bit access, with bits above the port's width, and the zeroing of what is above 64.
        model.set_u64(d, u64::MAX - 1);
        model.clock_cycle();
        let low = if width < 64 { (1u64 << width) - 1 } else { u64::MAX };
        assert_eq!(model.get_u64(q), low.wrapping_sub(1).wrapping_add(low - 1) & low, "{width}");
        // Another instance of the same library has a state of its own.
        other.clock_cycle();
        assert_eq!(other.bytes(q), vec![0; width.div_ceil(8)]);
        model.set_bytes(d, &[]);
    }
}

#[test]
fn instances_move_between_threads_and_libraries_live_side_by_side() {
    let doubler = |factor: u32| {
        let text = format!(
            "module scale(clock, a, y);\ninput wire clock;\ninput wire [31:0] a;\noutput reg [31:0] y;\n\
             always @(posedge clock) y <= a * {factor};\nendmodule\n"
        );
        library(&Emitted::from_verilog(
            "scale",
            text,
            vec![input("clock", 1), input("a", 32), output("y", 32)],
        ))
    };
    // Both have the same class and module names; each must keep to its own code.
    let models: Vec<Model> = [3, 7]
        .iter()
        .flat_map(|factor| {
            let library = doubler(*factor);
            [library.instance(), library.instance()]
        })
        .collect();
    let threads: Vec<_> = models
        .into_iter()
        .map(|mut model| {
            std::thread::spawn(move || {
                let (a, y) = (model.port("a").unwrap(), model.port("y").unwrap());
                (0..1000)
                    .map(|value| {
                        model.set_u64(a, value);
                        model.clock_cycle();
                        model.get_u64(y)
                    })
                    .sum::<u64>()
            })
        })
        .collect();
    let sums: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(sums, [3 * 499_500, 3 * 499_500, 7 * 499_500, 7 * 499_500]);
}

#[test]
fn a_loop_that_does_not_settle_is_an_error_and_not_an_abort() {
    let text = "module ring(a, y);\ninput wire a;\noutput reg y;\nalways @(*) y = a & ~y;\nendmodule\n";
    let library = library(&Emitted::from_verilog("ring", text, vec![input("a", 1), output("y", 1)]));
    let mut model = library.instance();
    let a = model.port("a").unwrap();
    model.try_eval().unwrap();
    model.set_u64(a, 1);
    let message = model.try_eval().unwrap_err().to_string();
    assert!(message.contains("ring") && message.contains("converge"), "{message}");
    assert!(model.try_eval().is_err(), "a stopped model stays stopped");
}

#[test]
fn faults_name_what_was_asked() {
    let library = library(&widths());
    let message = library.instance().port("nothing").unwrap_err().to_string();
    assert!(message.contains("widths has no port nothing; it has clock, d1"), "{message}");
    let broken =
        Emitted::from_verilog("broken", "module broken(a);\ninput wire a;\nassign 1 = ;\nendmodule", vec![]);
    let error = ModelLibrary::build(&broken, &BuildOptions::default()).unwrap_err();
    assert!(matches!(error, SimError::Tool(_)) && error.to_string().contains("syntax error"), "{error}");
    let lost =
        Emitted::from_verilog("lost", "module lost(a);\ninput wire a;\nendmodule", vec![input("b", 1)]);
    let error = ModelLibrary::build(&lost, &BuildOptions::default()).unwrap_err();
    assert!(matches!(error, SimError::PortLost { .. }), "{error}");
}

#[test]
fn uninitialised_state_is_random_on_request() {
    let text = "module idle(clock, y);\ninput wire clock;\noutput wire [63:0] y;\nreg [63:0] state;\n\
                always @(posedge clock) state <= state;\nassign y = state;\nendmodule\n";
    let emitted = Emitted::from_verilog("idle", text, vec![input("clock", 1), output("y", 64)]);
    let library =
        ModelLibrary::build(&emitted, &BuildOptions { randomize: true, ..Default::default() }).unwrap();
    let state = |seed| {
        let mut model = library.instance_with_seed(seed);
        model.clock_cycle();
        model.get_u64(model.port("y").unwrap())
    };
    assert_eq!(state(1), state(1));
    assert_ne!(state(1), state(2));
}

/// Four registered multipliers, of which two are inside a block of their own, behind a sum.
fn multipliers() -> Emitted {
    let text = "module times (clock, a, b, y);\ninput wire clock;\ninput wire [89:0] a;\ninput wire [89:0] b;\n\
                output wire [89:0] y;\nreg [89:0] product;\ninitial product = 0;\n\
                always @(posedge clock) product <= a * b;\nassign y = product ^ a;\nendmodule\n\
                module pair(clock, a, b, y);\ninput wire clock;\ninput wire [89:0] a;\ninput wire [89:0] b;\n\
                output wire [89:0] y;\nwire [89:0] first;\n\
                times one(.clock(clock), .a(a), .b(b), .y(first));\n\
                times two(.clock(clock), .a(first), .b(b), .y(y));\nendmodule\n\
                module multipliers(clock, a, b, y);\ninput wire clock;\ninput wire [89:0] a;\ninput wire [89:0] b;\n\
                output reg [89:0] y;\nwire [89:0] first;\nwire [89:0] second;\nwire [89:0] third;\ninitial y = 0;\n\
                pair p(.clock(clock), .a(a), .b(b), .y(first));\n\
                times t(.clock(clock), .a(b), .b(first), .y(second));\n\
                times u(.clock(clock), .a(second), .b(first), .y(third));\n\
                always @(posedge clock) y <= y + third;\nendmodule\n";
    let ports = vec![input("clock", 1), input("a", 90), input("b", 90), output("y", 90)];
    Emitted::from_verilog("multipliers", text, ports)
}

#[test]
fn hierarchical_models_do_what_flat_ones_do() {
    let emitted = multipliers();
    let build = |hierarchy: &[&str], trace| {
        let hierarchy = hierarchy.iter().map(|&name| name.to_owned()).collect();
        ModelLibrary::build(&emitted, &BuildOptions { hierarchy, trace, ..Default::default() })
    };
    let libraries = [build(&[], false), build(&["times"], false), build(&["times", "pair"], true)];
    let run = |library: &Arc<ModelLibrary>, seed: u64| {
        let mut model = library.instance();
        let [a, b, y] = ["a", "b", "y"].map(|name| model.port(name).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let cycle = |_| {
            model.set_bytes(a, &rng.r#gen::<[u8; 12]>());
            model.set_bytes(b, &rng.r#gen::<[u8; 12]>());
            model.clock_cycle();
            model.bytes(y)
        };
        (0..2000).map(cycle).collect::<Vec<_>>()
    };
    let libraries = libraries.map(Result::unwrap);
    // Two instances of each library at the same time, so that one finds out if parts are shared.
    std::thread::scope(|scope| {
        let start = |seed| {
            [0, 1, 2].map(|kind| {
                scope.spawn({
                    let library = libraries[kind].clone();
                    move || run(&library, seed)
                })
            })
        };
        for threads in [start(1), start(2)] {
            let [flat, one, two] = threads.map(|thread| thread.join().unwrap());
            assert!(flat.iter().any(|y| y.iter().any(|byte| *byte != 0)));
            assert!(flat == one && flat == two);
        }
    });
    for name in ["multipliers", "nothing"] {
        let error = build(&[name], false).unwrap_err();
        assert!(matches!(&error, SimError::NoSuchModule { module, .. } if module == name), "{error}");
    }
}

#[test]
fn waveforms_are_written() {
    let library =
        ModelLibrary::build(&widths(), &BuildOptions { trace: true, ..Default::default() }).unwrap();
    let folder = std::env::temp_dir().join(format!("spandrel-trace-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut model = library.instance();
    let path = model.open_trace(&folder.join("wave.fst")).unwrap();
    (0..10).for_each(|_| model.clock_cycle());
    assert_eq!(model.close_trace().as_ref(), Some(&path));
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 300, "{} bytes", bytes.len());
    let missing = model.open_trace(&folder.join("no-such-folder").join("wave.fst"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(missing, Err(SimError::Trace { .. })), "{missing:?}");
    let untraced = self::library(&widths()).instance().open_trace(&path);
    assert!(untraced.unwrap_err().to_string().contains("built without waveforms"));
}
