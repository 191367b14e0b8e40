//! `docs/registers.md`, rendered from the tables of this crate.

use crate::*;
use std::fmt::Write;

/// The register reference as Markdown.
pub fn render() -> String {
    let mut out = String::from(
        "# Registers, queues and commands\n\n\
         Rendered from the crate `spandrel-abi` by `cargo xtask registers`; a test fails when this page is stale.\n\n",
    );
    // Writing to a String cannot fail.
    let _ = write_page(&mut out);
    out
}

fn write_page(out: &mut String) -> std::fmt::Result {
    writeln!(out, "Interface version {ABI_MAJOR}.{ABI_MINOR}. All words are little-endian.\n")?;
    writeln!(out, "## Registers (the first {REGISTER_BYTES} bytes of BAR 0)\n")?;
    write_registers(out, REGISTERS)?;
    writeln!(
        out,
        "\n## The PCIe endpoint (BAR 0, {BAR0_BYTES} bytes)\n\n\
         PCI vendor {PCI_VENDOR:04x}, device {PCI_DEVICE:04x}, class {PCI_CLASS:06x}. The MSI-X table of {MSIX_VECTORS} vectors \
         lies at 0x{MSIX_TABLE_OFFSET:04x}, its pending bits at 0x{MSIX_PBA_OFFSET:04x}. Vector {COMPLETION_VECTOR} tells of \
         completions, vector {FAULT_VECTOR} of faults. Accesses are of 1, 2, 4 or 8 bytes, aligned. A card on a bare AXI bus \
         has none of this.\n"
    )?;
    write_registers(out, LINK_REGISTERS)?;
    writeln!(out, "\n## Submission entry ({DESCRIPTOR_BYTES} bytes)\n")?;
    write_layout(out, DESCRIPTOR_LAYOUT)?;
    writeln!(out, "\n## Commands\n\n| opcode | command | does |\n| --- | --- | --- |")?;
    for opcode in Opcode::ALL {
        writeln!(out, "| {} | `{opcode:?}` |{} |", *opcode as u8, opcode.doc())?;
    }
    writeln!(out, "\n| field | name | |\n| --- | --- | --- |")?;
    for field in FieldId::ALL {
        writeln!(out, "| {} | `{field:?}` |{} |", *field as u8, field.doc())?;
    }
    writeln!(out, "\n| operation | name | |\n| --- | --- | --- |")?;
    for operation in FieldOperation::ALL {
        writeln!(out, "| {} | `{operation:?}` |{} |", *operation as u8, operation.doc())?;
    }
    writeln!(out, "\n| curve | name | |\n| --- | --- | --- |")?;
    for curve in CurveId::ALL {
        writeln!(out, "| {} | `{curve:?}` |{} |", *curve as u8, curve.doc())?;
    }
    writeln!(out, "\n## Completion entry ({COMPLETION_BYTES} bytes)\n")?;
    write_layout(out, COMPLETION_LAYOUT)?;
    writeln!(out, "\n## Status codes\n\n| code | status | meaning |\n| --- | --- | --- |")?;
    for status in Status::ALL {
        writeln!(out, "| {} | `{status:?}` |{} |", *status as u8, status.doc())?;
    }
    writeln!(
        out,
        "\n## Counters ({COUNTERS_BYTES} bytes)\n\n| byte | counter | meaning |\n| --- | --- | --- |"
    )?;
    for (name, index, doc) in Counters::LAYOUT {
        writeln!(out, "| {} | `{name}` |{doc} |", 8 * index)?;
    }
    Ok(())
}

fn write_registers(out: &mut String, registers: &[Register]) -> std::fmt::Result {
    writeln!(out, "| offset | register | access | meaning |\n| --- | --- | --- | --- |")?;
    for register in registers {
        let access = match register.access {
            Access::ReadOnly => "read only",
            Access::ReadWrite => "read, write",
            Access::WriteOneToClear => "write 1 to clear",
        };
        writeln!(out, "| `0x{:03x}` | `{}` | {access} |{} |", register.offset, register.name, register.doc)?;
        for field in register.fields {
            let bits = match field.width {
                1 => format!("{}", field.lsb),
                width => format!("{}:{}", field.lsb + width - 1, field.lsb),
            };
            writeln!(out, "| | `{}` | bits {bits} | {} |", field.name, field.doc)?;
        }
    }
    Ok(())
}

fn write_layout(out: &mut String, layout: &[EntryField]) -> std::fmt::Result {
    writeln!(out, "| byte | bytes | field | meaning |\n| --- | --- | --- | --- |")?;
    for field in layout {
        writeln!(out, "| {} | {} | `{}` | {} |", field.byte, field.bytes, field.name, field.doc)?;
    }
    Ok(())
}
