use super::*;
use anyhow::ensure;

/// A board's checks with the card's insides left out, or nothing where Yosys cannot be had.
#[test]
fn a_board_passes_every_check_and_broken_ones_fail() -> Result<()> {
    let name = "vendor::a_board_passes_every_check_and_broken_ones_fail";
    if let Err(error) = spandrel_tools::yosys()
        && error.is_unavailable()
    {
        spandrel_tools::skip(name, error);
        return Ok(());
    }
    if !calls::has_tcl() {
        spandrel_tools::skip(name, "tclsh is missing (on Debian and Ubuntu: apt-get install tcl)");
        return Ok(());
    }
    let board = &BOARDS[0];
    let outcomes = check(board, false)?;
    ensure!(outcomes.len() == 8 && outcomes.iter().all(|outcome| outcome.outcome == "pass"), "{outcomes:#?}");

    // A copy of the board's folder, changed in one place each time.
    let folder = tempfile::tempdir()?;
    let emitted = emit(board, folder.path(), "00000000")?;
    let copy = folder.path().join(board.name);
    let fails = |file: &str, from: &str, to: &str, words: &str| -> Result<()> {
        for (source, target) in [
            (board.folder(), &copy),
            (board.folder().with_file_name("vivado"), &folder.path().join("vivado")),
        ] {
            std::fs::create_dir_all(target)?;
            for entry in std::fs::read_dir(source)? {
                let path = entry?.path();
                // A build that was made by hand is left alone.
                if !path.is_file() {
                    continue;
                }
                std::fs::copy(&path, target.join(path.file_name().unwrap_or_default()))?;
            }
        }
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path)?;
        ensure!(text.contains(from), "{from} is not in {file}");
        std::fs::write(&path, text.replacen(from, to, 1))?;
        let found = checks::flow(board, &copy, &emitted).and_then(|done| {
            checks::timing_is_checked(board, &copy, &emitted)?;
            checks::pins(board, &done, &emitted)?;
            checks::cells(board, &done, &emitted)?;
            checks::ip(board, &done, &emitted)
        });
        let message = found.err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(message.contains(words), "{file} with {to} for {from}: \"{message}\" should say \"{words}\"");
        Ok(())
    };
    fails("vivado/implement.tcl", "route_design", "rout_design", "rout_design")?;
    fails("vivado/implement.tcl", "-directive Explore", "-directiv Explore", "no option -directiv")?;
    fails("vivado/synth.tcl", "generate_target all [get_ips]\n", "", "generate_target is not called")?;
    fails("vivado/checks.tcl", "$setup < 0 || $hold < 0", "$setup < -1", "should end with")?;
    fails("alveo-u250/floorplan.xdc", "msm/cores_3", "msm/cores_9", "cores_9")?;
    fails("alveo-u250/clocks.xdc", "memory_reset/chain", "memory_reset/chains", "chains_reg")?;
    fails("alveo-u250/pins.xdc", "AM11", "AM10", "AM10 is given to two")?;
    fails("alveo-u250/pins.xdc", "get_ports pcie_reset_n", "get_ports perst_n", "port perst_n")?;
    fails("alveo-u250/ip.tcl", "5BD1", "5BD2", "PF0_DEVICE_ID")?;
    fails(
        "alveo-u250/ip.tcl",
        "-module_name axi_clock_converter_0",
        "-module_name other_0",
        "axi_clock_converter_0",
    )?;
    Ok(())
}

#[test]
fn yosys_refuses_a_wrapper_whose_widths_differ() -> Result<()> {
    let name = "vendor::yosys_refuses_a_wrapper_whose_widths_differ";
    if let Err(error) = spandrel_tools::yosys()
        && error.is_unavailable()
    {
        spandrel_tools::skip(name, error);
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let refused = |text: &str, words: &str| -> Result<()> {
        std::fs::write(folder.path().join("m.v"), text)?;
        let message =
            elaborate::elaborate(folder.path(), &["m.v"], "top").err().map(|error| format!("{error:#}"));
        ensure!(message.as_ref().is_some_and(|message| message.contains(words)), "{text}: {message:?}");
        Ok(())
    };
    let leaf = "(* blackbox *) module leaf(input wire [3:0] a, output wire y); endmodule\n";
    let top = |net: &str| {
        format!(
            "{leaf}module top(input wire [3:0] a, output wire y); wire b; leaf l(.a({net}), .y(y)); endmodule\n"
        )
    };
    std::fs::write(folder.path().join("m.v"), top("a"))?;
    elaborate::elaborate(folder.path(), &["m.v"], "top")?;
    refused(&top("a[2:0]"), "widths differ")?;
    refused(&top("{a[2:0], b}"), "does not accept")?;
    refused(&top("a), .z(b"), "does not accept")
}

#[test]
fn ports_are_read_with_their_widths() {
    let wrapper = "module top(a, b);\n    input wire [7:0] a;\n    inout wire b;\nendmodule\nmodule c(x);\n input wire x;\n";
    assert_eq!(ports(wrapper), [("a".to_owned(), 8), ("b".to_owned(), 1)]);
}
