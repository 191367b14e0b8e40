"""What the tests of the emitted Verilog share: the interface, a host's side of the queues, two benches."""

PERIOD_NS = 4
"""A cycle: 250 MHz, the user clock of the endpoint's streams."""
