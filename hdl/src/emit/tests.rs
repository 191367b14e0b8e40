use super::*;
use rust_hdl::prelude::*;

/// A counter with a register in it.
#[derive(LogicBlock, Default)]
struct Counter {
    pub clock: Signal<In, Clock>,
    pub enable: Signal<In, Bit>,
    pub count: Signal<Out, Bits<8>>,
    value: DFF<Bits<8>>,
}

impl Logic for Counter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, value);
        if self.enable.val() {
            self.value.d.next = self.value.q.val() + 1;
        }
        self.count.next = self.value.q.val();
    }
}

/// A block whose inside is ready-made Verilog, as pipelines are; the multiplier differs by instance.
#[derive(LogicBlock)]
struct Scaler {
    pub a: Signal<In, Bits<8>>,
    pub y: Signal<Out, Bits<8>>,
    _factor: u32,
}

impl Logic for Scaler {
    fn update(&mut self) {
        self.y.next = self.a.val();
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!("always @(*) y = a * 8'd{};", self._factor))
    }
}

fn scaler(factor: u32) -> Scaler {
    Scaler { a: Default::default(), y: Default::default(), _factor: factor }
}

/// A row of counters, each scaled.
#[derive(LogicBlock)]
struct Row {
    pub clock: Signal<In, Clock>,
    pub enable: Signal<In, Bits<4>>,
    pub sum: Signal<Out, Bits<8>>,
    counters: Vec<Counter>,
    scalers: Vec<Scaler>,
    _n: usize,
}

impl Row {
    fn new(factors: [u32; 4]) -> Row {
        Row {
            clock: Default::default(),
            enable: Default::default(),
            sum: Default::default(),
            counters: (0..4).map(|_| Counter::default()).collect(),
            scalers: factors.into_iter().map(scaler).collect(),
            _n: 4,
        }
    }
}

impl Logic for Row {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..self._n {
            self.counters[i].clock.next = self.clock.val();
            self.counters[i].enable.next = self.enable.val().get_bit(i);
            self.scalers[i].a.next = self.counters[i].count.val();
        }
        self.sum.next = self.scalers[0].y.val()
            + self.scalers[1].y.val()
            + self.scalers[2].y.val()
            + self.scalers[3].y.val();
    }
}

/// Rows in a row, with an interface's worth of names at the top.
#[derive(LogicBlock)]
struct Grid {
    pub clock: Signal<In, Clock>,
    pub enable: Signal<In, Bits<4>>,
    pub stream: StreamOut,
    rows: Vec<Row>,
    _n: usize,
}

#[derive(LogicInterface, Default)]
#[join = "StreamIn"]
struct StreamOut {
    pub data: Signal<Out, Bits<8>>,
    pub ready: Signal<In, Bit>,
}

#[derive(LogicInterface, Default)]
#[join = "StreamOut"]
#[allow(dead_code, reason = "the interface's other side, which the derive asks for")]
struct StreamIn {
    pub data: Signal<In, Bits<8>>,
    pub ready: Signal<Out, Bit>,
}

impl Grid {
    fn new(factors: &[[u32; 4]]) -> Grid {
        let mut grid = Grid {
            clock: Default::default(),
            enable: Default::default(),
            stream: Default::default(),
            rows: factors.iter().map(|factors| Row::new(*factors)).collect(),
            _n: factors.len(),
        };
        grid.connect_all();
        grid
    }
}

impl Logic for Grid {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..self._n {
            self.rows[i].clock.next = self.clock.val();
            self.rows[i].enable.next = self.enable.val();
        }
        self.stream.data.next = 0.into();
        if self.stream.ready.val() {
            self.stream.data.next = self.rows[0].sum.val();
        }
    }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn equal_instances_share_a_module_at_every_level() {
    let equal = emit(&Grid::new(&[[3, 3, 5, 5]; 6]), "grid").unwrap();
    let names: Vec<(&str, usize)> =
        equal.modules.iter().map(|module| (module.name.as_str(), module.instances)).collect();
    let expected = [
        ("grid_value", 24),
        ("grid_counters", 24),
        ("grid_scalers", 12),
        ("grid_scalers_2", 12),
        ("grid_rows", 6),
        ("grid", 1),
    ];
    assert_eq!(names, expected, "{}", equal.verilog);
    assert_eq!(count(&equal.verilog, "endmodule"), 6);
    assert_eq!(count(&equal.verilog, "grid_rows rows_"), 6, "{}", equal.verilog);

    // One row with another factor inside: its own module, and nothing else changes.
    let mut factors = [[3, 3, 5, 5]; 6];
    factors[4][2] = 7;
    let unequal = emit(&Grid::new(&factors), "grid").unwrap();
    assert_eq!(unequal.modules.len(), 8, "{}", unequal.verilog);
    assert_eq!(count(&unequal.verilog, "8'd7;"), 1);
}

#[test]
fn names_are_plain_and_ports_are_listed() {
    let emitted = emit(&Grid::new(&[[1, 2, 3, 4]]), "grid").unwrap();
    assert!(!emitted.verilog.contains('$'), "{}", emitted.verilog);
    let ports: Vec<(&str, PortDirection, usize)> =
        emitted.ports.iter().map(|port| (port.name.as_str(), port.direction, port.width)).collect();
    let expected = [
        ("clock", PortDirection::Input, 1),
        ("enable", PortDirection::Input, 4),
        ("stream_data", PortDirection::Output, 8),
        ("stream_ready", PortDirection::Input, 1),
    ];
    assert_eq!(ports, expected);
    assert!(emitted.verilog.contains("module grid(clock,enable,stream_data,stream_ready);"));
}

#[test]
fn renaming_avoids_names_that_are_taken() {
    let text = "wire a$b; wire a_b; wire $signed(a$b) + a__c; assign a$$c = 8'h1f; wire a$c;";
    let renamed = names::Renaming::new(text).apply(text);
    assert_eq!(renamed, "wire a__b; wire a_b; wire $signed(a__b) + a__c; assign a____c = 8'h1f; wire a_c;");
}

#[test]
fn words_of_system_verilog_are_renamed() {
    let text = "wire inside; wire before; wire before_; (* k = \"inside do\" *) b inside$d(.inside(inside)); wire s$always;";
    let renamed = names::Renaming::new(text).apply(text);
    let expected = "wire inside_; wire before__; wire before_; (* k = \"inside do\" *) b inside_d(.inside_(inside_)); \
        wire s__always;";
    assert_eq!(renamed, expected);
    let mut block = Modern::default();
    block.connect_all();
    let emitted = emit(&block, "modern").unwrap();
    assert_eq!(emitted.ports[0].name, "byte_");
    let words = ["byte", "inside", "before"];
    assert!(names::tokens(&emitted.verilog).all(|(_, token)| !words.contains(&token)), "{}", emitted.verilog);
    assert!(
        emitted.verilog.contains("inside_(") && emitted.verilog.contains("before_"),
        "{}",
        emitted.verilog
    );
}

#[test]
fn text_is_the_same_every_time() {
    let once = emit(&Grid::new(&[[1, 2, 3, 4], [4, 3, 2, 1]]), "grid").unwrap();
    for _ in 0..3 {
        assert_eq!(emit(&Grid::new(&[[1, 2, 3, 4], [4, 3, 2, 1]]), "grid").unwrap(), once);
    }
}

#[test]
fn marks_go_inside_the_chosen_modules_only() {
    let emitted = emit(&Grid::new(&[[1, 2, 3, 4]; 2]), "grid").unwrap();
    let marked = emitted.verilog_with_hierarchy(&["grid_rows"]);
    assert_eq!(count(&marked, "hier_block"), 1);
    assert!(
        marked.contains("module grid_rows(clock,enable,sum);\n    /*verilator hier_block*/\n"),
        "{marked}"
    );
}

#[test]
fn pipelines_stay_out_of_waveforms() {
    let mut emitted = emit(&Grid::new(&[[1, 2, 3, 4]; 2]), "grid").unwrap();
    let ready_made: Vec<&str> = emitted
        .modules
        .iter()
        .filter(|module| module.ready_made)
        .map(|module| module.name.as_str())
        .collect();
    assert_eq!(ready_made.len(), 5, "a register and four scalers: {ready_made:?}");
    assert_eq!(emitted.verilog_for_waveforms(), emitted.verilog, "they are small");
    emitted.modules.iter_mut().find(|module| module.name == "grid_scalers").unwrap().bytes = 1_000_000;
    let text = emitted.verilog_for_waveforms();
    assert_eq!((count(&text, "tracing_off"), count(&text, "tracing_on")), (1, 1));
    assert!(text.contains("/*verilator tracing_off*/\nmodule grid_scalers("), "{text}");
    assert!(text.contains("endmodule\n/*verilator tracing_on*/\n"), "{text}");
}

/// A wrapper around modules that it brings along, as pipelines are.
#[derive(LogicBlock)]
struct Pipeline {
    pub a: Signal<In, Bits<8>>,
    pub y: Signal<Out, Bits<8>>,
    _cores: String,
}

impl Logic for Pipeline {
    fn update(&mut self) {
        self.y.next = self.a.val();
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Wrapper(Wrapper {
            code: "stage inner(.a(a), .y(y));".to_owned(),
            cores: self._cores.clone(),
        })
    }
}

/// Two pipelines side by side.
#[derive(LogicBlock)]
struct Pair {
    pub a: Signal<In, Bits<8>>,
    pub y: Signal<Out, Bits<8>>,
    first: Pipeline,
    second: Pipeline,
}

impl Logic for Pair {
    #[hdl_gen]
    fn update(&mut self) {
        self.first.a.next = self.a.val();
        self.second.a.next = self.first.y.val();
        self.y.next = self.second.y.val();
    }
}

fn pair(first: &str, second: &str) -> Result<Emitted, EmitError> {
    let pipeline =
        |cores: &str| Pipeline { a: Default::default(), y: Default::default(), _cores: cores.to_owned() };
    let (first, second) = (pipeline(first), pipeline(second));
    let mut pair = Pair { a: Default::default(), y: Default::default(), first, second };
    pair.connect_all();
    emit(&pair, "pair")
}

#[test]
fn modules_that_blocks_bring_along_appear_once() {
    const STAGE: &str = "module stage(input [7:0] a, output [7:0] y);\nassign y = a;\nendmodule\n";
    const LEAF: &str = "// A comment.\nmodule leaf(input a);\nendmodule\n";
    let emitted = pair(STAGE, &format!("{LEAF}\n{STAGE}")).unwrap();
    assert_eq!((count(&emitted.verilog, "module stage("), count(&emitted.verilog, "module leaf(")), (1, 1));
    assert_eq!(count(&emitted.verilog, "endmodule"), 4, "{}", emitted.verilog);
    assert_eq!(emitted.modules[0].instances, 2);
    assert_eq!(count(&emitted.verilog_for_waveforms(), "tracing_off"), 2, "all of the insides");
    let different = pair(STAGE, &STAGE.replace("= a", "= ~a")).unwrap_err().to_string();
    assert!(different.contains("different modules of the name stage"), "{different}");
    let clash = pair(STAGE, "module pair(input a);\nendmodule").unwrap_err().to_string();
    assert!(clash.contains("module pair, which a block brings along"), "{clash}");
}

/// Leaves an input of its inside undriven and reads a signal before writing it.
#[derive(LogicBlock, Default)]
struct Unsound {
    pub clock: Signal<In, Clock>,
    pub enable: Signal<In, Bit>,
    pub y: Signal<Out, Bits<8>>,
    inner: Counter,
    early: Signal<Local, Bits<8>>,
}

impl Logic for Unsound {
    #[hdl_gen]
    fn update(&mut self) {
        self.inner.clock.next = self.clock.val();
        self.y.next = self.early.val();
        self.early.next = self.inner.count.val();
    }
}

#[test]
fn faults_are_sentences() {
    let mut block = Unsound::default();
    block.connect_all();
    let message = emit(&block, "unsound").unwrap_err().to_string();
    assert!(message.contains("input enable of unsound.inner is not driven"), "{message}");
    assert!(message.contains("signal early of unsound is read before it is written"), "{message}");
    let message = emit(&Counter::default(), "counter").unwrap_err().to_string();
    assert!(message.contains("call connect_all() on counter"), "{message}");
    assert_eq!(emit(&block, "un$ound"), Err(EmitError::TopName("un$ound".to_owned())));
}

/// Has names that are plain in Verilog and reserved in SystemVerilog.
#[derive(LogicBlock, Default)]
struct Modern {
    pub byte: Signal<In, Bits<8>>,
    pub clock: Signal<In, Clock>,
    pub out: Signal<Out, Bits<8>>,
    inside: DFF<Bits<8>>,
    before: Signal<Local, Bits<8>>,
}

impl Logic for Modern {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, inside);
        self.before.next = self.inside.q.val();
        self.inside.d.next = self.byte.val();
        self.out.next = self.before.val();
    }
}

/// Has ports that Verilog has other plans for.
#[derive(LogicBlock, Default)]
struct Misnamed {
    pub event: Signal<In, Bit>,
    pub table: Signal<Out, Bit>,
}

impl Logic for Misnamed {
    #[hdl_gen]
    fn update(&mut self) {
        self.table.next = self.event.val();
    }
}

#[test]
fn words_of_verilog_are_no_names() {
    let mut block = Misnamed::default();
    block.connect_all();
    let message = emit(&block, "misnamed").unwrap_err().to_string();
    for name in ["event", "table"] {
        assert!(
            message.contains(&format!("signal {name} of misnamed has a name that is a word of Verilog")),
            "{message}"
        );
    }
}
