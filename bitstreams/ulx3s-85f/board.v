// Clock and pads of the ULX3S around the card.
module ulx3s_85f #(
    // 25 MHz times MULTIPLY is the card's clock, and that times DIVIDE the frequency of the oscillator.
    parameter MULTIPLY = 2,
    parameter DIVIDE = 12
) (
    input wire clk_25mhz,
    // As seen from the USB adapter on the board.
    output wire ftdi_rxd,
    input wire ftdi_txd,
    output wire led
);
  wire clock;

  EHXPLLL #(
      .CLKI_DIV(1),
      .CLKFB_DIV(MULTIPLY),
      .CLKOP_DIV(DIVIDE),
      .CLKOP_CPHASE(DIVIDE / 2 - 1),
      .CLKOP_FPHASE(0),
      .CLKOP_ENABLE("ENABLED"),
      .FEEDBK_PATH("CLKOP"),
      .OUTDIVIDER_MUXA("DIVA"),
      .PLLRST_ENA("DISABLED"),
      .INTFB_WAKE("DISABLED"),
      .STDBY_ENABLE("DISABLED"),
      .DPHASE_SOURCE("DISABLED")
  ) pll (
      .CLKI(clk_25mhz),
      .CLKOP(clock),
      .CLKFB(clock),
      .RST(1'b0),
      .STDBY(1'b0),
      .PHASESEL0(1'b0),
      .PHASESEL1(1'b0),
      .PHASEDIR(1'b1),
      .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1),
      .PLLWAKESYNC(1'b0),
      .ENCLKOP(1'b0)
  );

  // The shell resets the card itself after configuration.
  spandrel_card card (
      .clock(clock),
      .reset(1'b0),
      .serial_rxd(ftdi_txd),
      .serial_txd(ftdi_rxd),
      .busy(led)
  );
endmodule
