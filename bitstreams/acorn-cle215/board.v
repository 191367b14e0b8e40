// Clock and pads of the SQRL Acorn CLE-215+ and its sisters around the card.
module acorn_cle215 #(
    // 200 MHz times MULTIPLY by DIVIDE is the card's clock.
    parameter MULTIPLY = 4,
    parameter DIVIDE = 10
) (
    input wire clk200_p,
    input wire clk200_n,
    input wire serial_rx,
    output wire serial_tx,
    output wire led
);
  wire clk200, feedback, multiplied, clock, rxd, txd, busy;

  IBUFDS clock_pad (.I(clk200_p), .IB(clk200_n), .O(clk200));
  PLLE2_BASE #(
      .CLKIN1_PERIOD(5.0),
      .DIVCLK_DIVIDE(1),
      .CLKFBOUT_MULT(MULTIPLY),
      .CLKOUT0_DIVIDE(DIVIDE)
  ) pll (
      .CLKIN1(clk200),
      .CLKFBIN(feedback),
      .CLKFBOUT(feedback),
      .CLKOUT0(multiplied),
      .RST(1'b0),
      .PWRDWN(1'b0)
  );
  BUFG clock_net (.I(multiplied), .O(clock));

  IBUF rxd_pad (.I(serial_rx), .O(rxd));
  OBUF txd_pad (.I(txd), .O(serial_tx));
  OBUF led_pad (.I(busy), .O(led));

  // The shell resets the card itself after configuration.
  spandrel_card card (
      .clock(clock),
      .reset(1'b0),
      .serial_rxd(rxd),
      .serial_txd(txd),
      .busy(busy)
  );
endmodule
