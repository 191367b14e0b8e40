//! The interface between host and card as JSON, for tests in Python.

use serde_json::{Value, json};
use spandrel_abi::*;

/// Everything of `spandrel-abi` that the tests use, by the names that it has there.
pub fn describe() -> Value {
    json!({
        "registers": registers(REGISTERS),
        "link_registers": registers(LINK_REGISTERS),
        "opcodes": names(Opcode::ALL, |code| *code as u32),
        "statuses": names(Status::ALL, |code| *code as u32),
        "fields": names(FieldId::ALL, |code| *code as u32),
        "operations": names(FieldOperation::ALL, |code| *code as u32),
        "curves": names(CurveId::ALL, |code| *code as u32),
        "descriptor": layout(DESCRIPTOR_BYTES, DESCRIPTOR_LAYOUT),
        "completion": layout(COMPLETION_BYTES, COMPLETION_LAYOUT),
        "constants": {
            "MAGIC_VALUE": MAGIC_VALUE,
            "ABI_MAJOR": ABI_MAJOR,
            "ABI_MINOR": ABI_MINOR,
            "IDENTIFICATION_BYTES": IDENTIFICATION_BYTES,
            "REGISTER_BYTES": REGISTER_BYTES,
            "BAR0_BYTES": BAR0_BYTES,
            "MSIX_TABLE_OFFSET": MSIX_TABLE_OFFSET,
            "MSIX_PBA_OFFSET": MSIX_PBA_OFFSET,
            "MSIX_VECTORS": MSIX_VECTORS,
            "COMPLETION_VECTOR": COMPLETION_VECTOR,
            "FAULT_VECTOR": FAULT_VECTOR,
            "PCI_VENDOR": PCI_VENDOR,
            "PCI_DEVICE": PCI_DEVICE,
            "PCI_CLASS": PCI_CLASS,
        },
    })
}

fn registers(table: &[Register]) -> Value {
    let field = |field: &Field| json!({"name": field.name, "lsb": field.lsb, "width": field.width});
    let register = |register: &Register| {
        let access = match register.access {
            Access::ReadOnly => "read-only",
            Access::ReadWrite => "read-write",
            Access::WriteOneToClear => "write-one-to-clear",
        };
        let fields: Vec<Value> = register.fields.iter().map(field).collect();
        json!({"name": register.name, "offset": register.offset, "access": access, "fields": fields})
    };
    table.iter().map(register).collect()
}

/// The values of an enumeration by name.
fn names<T: std::fmt::Debug>(all: &[T], code: impl Fn(&T) -> u32) -> Value {
    all.iter().map(|value| (format!("{value:?}"), Value::from(code(value)))).collect()
}

fn layout(bytes: usize, fields: &[EntryField]) -> Value {
    let field = |field: &EntryField| json!({"name": field.name, "byte": field.byte, "bytes": field.bytes});
    json!({"bytes": bytes, "fields": fields.iter().map(field).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets_are_those_of_the_crate() {
        let described = describe();
        assert_eq!(described["opcodes"]["ReadCard"], Opcode::ReadCard as u32);
        assert_eq!(described["statuses"]["HostReadFault"], Status::HostReadFault as u32);
        let registers = described["registers"].as_array().unwrap();
        let scratch = registers.iter().find(|register| register["name"] == "SCRATCH").unwrap();
        assert_eq!((&scratch["offset"], &scratch["access"]), (&json!(SCRATCH.offset), &json!("read-write")));
        assert_eq!(described["completion"]["bytes"], COMPLETION_BYTES);
    }
}
