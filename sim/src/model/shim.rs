//! The C++ file that gives a Verilated class a C interface, generated from the ports of the design.

use super::build::TraceFormat;
use crate::SimError;
use spandrel_hdl::emit::Emitted;
use std::collections::HashSet;
use std::fmt::Write;

/// Class prefix given to Verilator: the same for every model, since every model is a library of its own.
pub(super) const PREFIX: &str = "Vmodel";

/// The shim's text. `header` is the `Vmodel.h` that Verilator wrote.
pub(super) fn render(
    emitted: &Emitted,
    header: &str,
    trace: Option<TraceFormat>,
) -> Result<String, SimError> {
    let members = members(header);
    let mut ports = String::new();
    for port in &emitted.ports {
        let candidates = [port.name.clone(), encode(&port.name), format!("__SYM__{}", port.name)];
        let member = candidates
            .iter()
            .find(|name| members.contains(name.as_str()))
            .ok_or_else(|| SimError::PortLost { top: emitted.top.clone(), port: port.name.clone() })?;
        let _ = writeln!(ports, "    PORT({member})");
    }
    let (trace_include, trace_class) = match trace {
        Some(TraceFormat::Fst) => ("#include \"verilated_fst_c.h\"", "VerilatedFstC"),
        Some(TraceFormat::Vcd) => ("#include \"verilated_vcd_c.h\"", "VerilatedVcdC"),
        None => ("", ""),
    };
    let text = TEMPLATE
        .replace("@TRACE_INCLUDE@", trace_include)
        .replace("@TRACE_CLASS@", trace_class)
        .replace("@TRACE@", if trace.is_some() { "1" } else { "0" })
        .replace("@PORTS@", ports.trim_end());
    Ok(text)
}

/// Names of the port members of the Verilated class: `VL_IN8(&clock,0,0);` and the like.
fn members(header: &str) -> HashSet<&str> {
    header
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("VL_IN") || line.starts_with("VL_OUT"))
        .filter_map(|line| line.split_once('(')?.1.split_once(','))
        .map(|(name, _)| name.trim_start_matches('&'))
        .collect()
}

/// Verilator's spelling of a name: of two underscores in a row the second is written as its code.
fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(at) = rest.find("__") {
        out.push_str(&rest[..at]);
        out.push_str("___05F");
        rest = &rest[at + 2..];
    }
    out + rest
}

const TEMPLATE: &str = r#"// Generated: the C interface of a Verilated model.
#include "Vmodel.h"
#include "verilated.h"
@TRACE_INCLUDE@
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace {
struct Stopped {
    std::string message;
};
struct Instance {
    VerilatedContext context;
    std::unique_ptr<Vmodel> model;
#if @TRACE@
    std::unique_ptr<@TRACE_CLASS@> trace;
#endif
    std::string fault;
    bool failed = false;
};
struct Port {
    void* address;
    std::size_t bytes;
};
}  // namespace

// Where Verilator's runtime would end the process, the model ends instead: see spandrel_eval.
void vl_fatal(const char* file, int line, const char*, const char* message) VL_MT_UNSAFE {
    throw Stopped{std::string(message) + " (" + file + ":" + std::to_string(line) + ")"};
}
void vl_finish(const char* file, int line, const char*) VL_MT_UNSAFE {
    throw Stopped{"$finish (" + std::string(file) + ":" + std::to_string(line) + ")"};
}
void vl_stop(const char* file, int line, const char*) VL_MT_UNSAFE {
    throw Stopped{"$stop or a failed assertion (" + std::string(file) + ":" + std::to_string(line) + ")"};
}

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void* spandrel_new(int random_reset, std::uint32_t seed) {
    try {
        auto instance = std::make_unique<Instance>();
        instance->context.randReset(random_reset);
        instance->context.randSeed(static_cast<int>(seed));
#if @TRACE@
        instance->context.traceEverOn(true);
#endif
        instance->model = std::make_unique<Vmodel>(&instance->context, "TOP");
        return instance.release();
    } catch (...) {
        return nullptr;
    }
}

EXPORT void spandrel_delete(void* handle) {
    auto* instance = static_cast<Instance*>(handle);
    try {
        Verilated::threadContextp(&instance->context);
        if (!instance->failed) instance->model->final();
    } catch (...) {
    }
    delete instance;
}

EXPORT int spandrel_eval(void* handle) {
    auto* instance = static_cast<Instance*>(handle);
    if (instance->failed) return 1;
    try {
        // Parts of a hierarchical model, made in its first evaluation, take their context from the thread.
        Verilated::threadContextp(&instance->context);
        instance->model->eval();
        return 0;
    } catch (const Stopped& stopped) {
        instance->fault = stopped.message;
    } catch (const std::exception& error) {
        instance->fault = error.what();
    } catch (...) {
        instance->fault = "unknown C++ exception";
    }
    instance->failed = true;
    return 1;
}

EXPORT const char* spandrel_fault(void* handle) { return static_cast<Instance*>(handle)->fault.c_str(); }

EXPORT int spandrel_port(void* handle, std::size_t index, void** address, std::size_t* bytes) {
    Vmodel& model = *static_cast<Instance*>(handle)->model;
#define PORT(name) {&model.name, sizeof(model.name)},
    const Port ports[] = {
@PORTS@
    };
    if (index >= sizeof(ports) / sizeof(ports[0])) return 1;
    *address = ports[index].address;
    *bytes = ports[index].bytes;
    return 0;
}

#if @TRACE@
EXPORT int spandrel_trace_open(void* handle, const char* path) {
    auto* instance = static_cast<Instance*>(handle);
    try {
        instance->trace = std::make_unique<@TRACE_CLASS@>();
        instance->model->trace(instance->trace.get(), 99);
        instance->trace->open(path);
        if (instance->trace->isOpen()) return 0;
    } catch (...) {
    }
    instance->trace.reset();
    return 1;
}
EXPORT void spandrel_trace_dump(void* handle, std::uint64_t time) {
    auto* instance = static_cast<Instance*>(handle);
    try {
        if (instance->trace) instance->trace->dump(time);
    } catch (...) {
    }
}
EXPORT void spandrel_trace_close(void* handle) {
    auto* instance = static_cast<Instance*>(handle);
    try {
        if (instance->trace) instance->trace->close();
    } catch (...) {
    }
    instance->trace.reset();
}
#else
EXPORT int spandrel_trace_open(void*, const char*) { return 1; }
EXPORT void spandrel_trace_dump(void*, std::uint64_t) {}
EXPORT void spandrel_trace_close(void*) {}
#endif
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_the_header() {
        let header =
            "    VL_IN8(&clock,0,0);\n    VL_OUTW(&result,255,0,8);\n  int other;\n VL_IN(a___05Fb,31,0);\n";
        let mut found: Vec<&str> = members(header).into_iter().collect();
        found.sort_unstable();
        assert_eq!(found, ["a___05Fb", "clock", "result"]);
        assert_eq!(encode("a__b"), "a___05Fb");
    }
}
