//! The flow on a design that is small enough for a test: registers, a memory, a multiplier, a carry chain.

use super::*;
use spandrel_tools::{ToolError, skip};

/// Has the ports of a card with a serial shell, and some of everything that a card is made of.
const SMALL: &str = "module spandrel_card(input wire clock, input wire reset, input wire serial_rxd, output reg serial_txd, \
    output reg busy);\n\
    reg [25:0] count = 0;\n reg [15:0] received = 0;\n reg [17:0] word = 0, left = 0, right = 0;\n reg [35:0] product = 0;\n\
    (* ram_style = \"ultra\" *) reg [17:0] words [0:1023];\n\
    always @(posedge clock) begin\n\
    count <= reset ? 0 : count + 1; received <= {received[14:0], serial_rxd};\n\
    words[count[9:0]] <= {received, 2'b01}; word <= words[count[19:10]];\n\
    left <= word; right <= {received, 2'b10}; product <= left * right;\n\
    serial_txd <= ^product; busy <= count[25];\n\
    end\nendmodule\n";

fn make(board: &str, test: &str) -> Result<Option<(Manifest, Timing, Vec<u8>)>> {
    let board = Board::find(board)?;
    let folder = tempfile::tempdir()?;
    let flow = match Flow::new(&board, 1, Duration::from_secs(300), folder.path().to_owned()) {
        Ok(flow) => flow,
        Err(error) if error.downcast_ref().is_some_and(ToolError::is_unavailable) => {
            skip(test, error);
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let (manifest, timing) = flow.make("spandrel_card", SMALL, NO_REVISION)?;
    let read = Manifest::read(&folder.path().join("card.json"))?;
    assert_eq!(read, manifest);
    let image = std::fs::read(folder.path().join("card.bit"))?;
    Ok(Some((manifest, timing, image)))
}

#[test]
fn a_small_design_becomes_a_bitstream_for_artix_7() -> Result<()> {
    let name = "bitstream::a_small_design_becomes_a_bitstream_for_artix_7";
    let Some((manifest, timing, image)) = make("acorn-cle215", name)? else { return Ok(()) };
    assert!(timing.closes() && timing.reached_khz >= 80_000);
    assert_eq!((manifest.resources["dsp"], manifest.resources["bram"]), (1, 1));
    // The synchronisation word, and the part's IDCODE in a write of register 12 ("7 Series FPGAs Configuration", UG470).
    assert!(image.windows(4).any(|word| word == [0xaa, 0x99, 0x55, 0x66]));
    assert!(image.windows(8).any(|words| words == [0x30, 0x01, 0x80, 0x01, 0x03, 0x63, 0x60, 0x93]));
    // All frames of the part: 9.7 MB.
    assert!(image.len() > 9_000_000, "{}", image.len());
    Ok(())
}

#[test]
fn a_small_design_becomes_a_bitstream_for_ecp5() -> Result<()> {
    let name = "bitstream::a_small_design_becomes_a_bitstream_for_ecp5";
    let Some((manifest, timing, image)) = make("ulx3s-85f", name)? else { return Ok(()) };
    assert!(timing.closes() && timing.not_modelled.is_empty());
    assert_eq!(timing.asynchronous.len(), 2, "{:?}", timing.asynchronous);
    assert_eq!((manifest.resources["dsp"], manifest.resources["bram"]), (1, 1));
    // The preamble ("ECP5 and ECP5-5G sysCONFIG Usage Guide", FPGA-TN-02039).
    assert!(image.windows(4).any(|word| word == [0xff, 0xff, 0xbd, 0xb3]));
    Ok(())
}

#[test]
fn a_board_without_open_tools_is_refused() {
    let verb = BitstreamVerb {
        board: Some("alveo-u250".into()),
        seed: 1,
        out: None,
        timeout: 1,
        json: false,
        update: false,
    };
    let error = verb.run().unwrap_err().to_string();
    assert!(error.contains("alveo-u250") && error.contains("open tools"), "{error}");
}
