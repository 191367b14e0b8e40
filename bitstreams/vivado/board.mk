# What the Makefiles of the boards built with Vivado share; BOARD is the board's name. Paths are from the board's folder.

OUT := build
VIVADO ?= vivado
XTASK := cargo xtask

.PHONY: all verilog check clean
all: $(OUT)/card.bit

verilog:
	mkdir -p $(OUT)
	$(XTASK) vendor --board $(BOARD) --out $(CURDIR)/$(OUT)

$(OUT)/card.bit: verilog
	cd $(OUT) && $(VIVADO) -mode batch -notrace -source ../../vivado/build.tcl -tclargs .. .
	$(XTASK) vendor --board $(BOARD) --manifest $(CURDIR)/$(OUT)

check:
	$(XTASK) vendor --board $(BOARD)

clean:
	rm -rf $(OUT)
