//! Hosting a pipeline in RustHDL.

use super::{Interpreter, Module};
use num_bigint::BigUint;
use rust_hdl::prelude::*;
use std::rc::Rc;

/// What a RustHDL block needs to be a pipeline: its Verilog, and the interpreter for RustHDL's own simulation.
///
/// The block declares one port for each of the pipeline's, with the same names (and `clock`, unless the pipeline
/// is combinational), and forwards `update` and `hdl` to here.
pub struct Host {
    module: Rc<Module>,
    interpreter: Interpreter,
}

impl Host {
    /// Hosts a finished pipeline.
    pub fn new(module: Rc<Module>) -> Host {
        Host { interpreter: Interpreter::new(module.clone()), module }
    }

    /// Cycles from inputs to outputs.
    pub fn latency(&self) -> usize {
        self.module.latency()
    }

    /// The hosted pipeline.
    pub fn module(&self) -> &Rc<Module> {
        &self.module
    }

    /// Passes a clock edge with these inputs before it; gives the outputs after it.
    pub fn clock_edge(&mut self, inputs: &[BigUint]) -> Vec<BigUint> {
        self.interpreter.step(inputs);
        // Behind the edge every output comes out of a register, whatever the inputs are.
        self.interpreter.outputs(inputs)
    }

    /// The outputs of a combinational function.
    pub fn evaluate(&self, inputs: &[BigUint]) -> Vec<BigUint> {
        self.module.evaluate(inputs)
    }

    /// The block's Verilog: one instance of the pipeline, whose module stands beside it.
    pub fn verilog(&self) -> Verilog {
        let clock = if self.module.latency() > 0 { Some("clock") } else { None };
        let outputs = self.module.outputs.iter().map(|(name, _)| name.as_str());
        let ports: Vec<String> = clock
            .into_iter()
            .chain(self.module.input_names())
            .chain(outputs)
            .map(|name| format!(".{name}({name})"))
            .collect();
        let code = format!("{} pipeline ({});\n", self.module.name(), ports.join(", "));
        let cores = self.module.verilog().into_values().collect::<Vec<_>>().join("\n");
        Verilog::Wrapper(Wrapper { code, cores })
    }

    /// The timing of a clocked host, for RustHDL's checks.
    pub fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "pipeline".into(),
            clock: "clock".into(),
            inputs: self.module.input_names().map(Into::into).collect(),
            outputs: self.module.outputs.iter().map(|(name, _)| name.clone()).collect(),
        }]
    }
}

/// A [`Host`] as a RustHDL block: declares the struct with its ports and implements `Logic`.
///
/// `clocked` hosts take new inputs every cycle (II = 1) and follow them by `latency()` cycles; `combinational`
/// hosts follow at once.
#[macro_export]
macro_rules! pipeline_block {
    (
        $(#[$meta:meta])* clocked $name:ident
        inputs { $($(#[$in_meta:meta])* $in:ident: $in_type:ty,)+ }
        outputs { $($(#[$out_meta:meta])* $out:ident: $out_type:ty,)+ }
    ) => {
        $(#[$meta])*
        #[derive(rust_hdl::prelude::LogicBlock)]
        pub struct $name {
            /// Clock, rising edge.
            pub clock: rust_hdl::prelude::Signal<rust_hdl::prelude::In, rust_hdl::prelude::Clock>,
            $($(#[$in_meta])* pub $in: rust_hdl::prelude::Signal<rust_hdl::prelude::In, $in_type>,)+
            $($(#[$out_meta])* pub $out: rust_hdl::prelude::Signal<rust_hdl::prelude::Out, $out_type>,)+
            _host: $crate::datapath::Host,
        }

        impl $name {
            fn host(module: std::rc::Rc<$crate::datapath::Module>) -> $name {
                $name {
                    clock: Default::default(),
                    $($in: Default::default(),)+
                    $($out: Default::default(),)+
                    _host: $crate::datapath::Host::new(module),
                }
            }

            /// Cycles from inputs to outputs.
            pub fn latency(&self) -> usize {
                self._host.latency()
            }
        }

        impl rust_hdl::prelude::Logic for $name {
            fn update(&mut self) {
                if self.clock.pos_edge() {
                    let outputs = self._host.clock_edge(&[$($crate::datapath::to_integer(self.$in.val())),+]);
                    let mut outputs = outputs.into_iter();
                    $(self.$out.next = $crate::datapath::from_integer(outputs.next());)+
                }
            }

            fn connect(&mut self) {
                $(self.$out.connect();)+
            }

            fn hdl(&self) -> rust_hdl::prelude::Verilog {
                self._host.verilog()
            }

            fn timing(&self) -> Vec<rust_hdl::prelude::TimingInfo> {
                self._host.timing()
            }
        }
    };
    (
        $(#[$meta:meta])* combinational $name:ident
        inputs { $($(#[$in_meta:meta])* $in:ident: $in_type:ty,)+ }
        outputs { $($(#[$out_meta:meta])* $out:ident: $out_type:ty,)+ }
    ) => {
        $(#[$meta])*
        #[derive(rust_hdl::prelude::LogicBlock)]
        pub struct $name {
            $($(#[$in_meta])* pub $in: rust_hdl::prelude::Signal<rust_hdl::prelude::In, $in_type>,)+
            $($(#[$out_meta])* pub $out: rust_hdl::prelude::Signal<rust_hdl::prelude::Out, $out_type>,)+
            _host: $crate::datapath::Host,
        }

        impl $name {
            fn host(module: std::rc::Rc<$crate::datapath::Module>) -> $name {
                $name {
                    $($in: Default::default(),)+
                    $($out: Default::default(),)+
                    _host: $crate::datapath::Host::new(module),
                }
            }
        }

        impl rust_hdl::prelude::Logic for $name {
            fn update(&mut self) {
                let outputs = self._host.evaluate(&[$($crate::datapath::to_integer(self.$in.val())),+]);
                let mut outputs = outputs.into_iter();
                $(self.$out.next = $crate::datapath::from_integer(outputs.next());)+
            }

            fn connect(&mut self) {
                $(self.$out.connect();)+
            }

            fn hdl(&self) -> rust_hdl::prelude::Verilog {
                self._host.verilog()
            }
        }
    };
}

/// A RustHDL value as the interpreter's integer.
pub trait Integer: Sized {
    /// The value as an integer.
    fn into_integer(self) -> BigUint;
    /// The integer's value in this type; it fits by construction of the graph.
    fn of_integer(value: BigUint) -> Self;
}

impl<const N: usize> Integer for Bits<N> {
    fn into_integer(self) -> BigUint {
        self.into()
    }

    fn of_integer(value: BigUint) -> Self {
        value.into()
    }
}

impl Integer for bool {
    fn into_integer(self) -> BigUint {
        BigUint::from(self)
    }

    fn of_integer(value: BigUint) -> Self {
        value != BigUint::default()
    }
}

/// A port's value as the interpreter takes it.
pub fn to_integer<T: Integer>(value: T) -> BigUint {
    value.into_integer()
}

/// A port's value as the interpreter gave it; the port list of a host is that of its pipeline, so there is one.
pub fn from_integer<T: Integer>(value: Option<BigUint>) -> T {
    T::of_integer(value.unwrap_or_default())
}
