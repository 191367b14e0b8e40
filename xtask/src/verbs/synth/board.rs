//! What a whole board's card needs: counted, kept beside the board, shown in its README.

use super::hierarchy::ModuleRow;
use super::resources::Resources;
use super::unit::Emitter;
use super::yosys::Synthesis;
use crate::board::{Board, Needs};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Lines of a README between which the table stands.
const BEGIN: &str = "<!-- resources: begin, written by cargo xtask synth --write -->";
const END: &str = "<!-- resources: end -->";
/// Modules that the README names; the others are one row.
const NAMED: usize = 16;

/// What a board's card needs, `resources.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardReport {
    /// The board.
    pub board: String,
    /// The part.
    pub part: String,
    /// The part's family.
    pub family: String,
    /// The tool that counted.
    pub tool: String,
    /// SHA-256 of the Verilog that was counted: what `spandrel-emit --profile BOARD` writes without a revision.
    pub rtl_sha256: String,
    /// What the card needs of the part.
    pub needs: Needs,
    /// All of the part.
    pub whole: Needs,
    /// The cells of the whole card.
    pub total: Resources,
    /// The modules that were synthesised on their own.
    pub modules: Vec<ModuleRow>,
}

/// Where a board's table is kept.
pub fn resources_path(board: &Board) -> PathBuf {
    board.folder.join("resources.json")
}

impl BoardReport {
    /// Emits and counts.
    pub fn count(board: &Board, emitter: &Emitter, synthesis: &Synthesis) -> Result<BoardReport> {
        let card = emitter.emit_card(&board.name, None)?;
        let (modules, total) = synthesis.table(&card.top, &card.verilog, &board.name)?;
        Ok(BoardReport {
            board: board.name.clone(),
            part: board.settings.part.clone(),
            family: board.settings.family.clone(),
            tool: synthesis.tool().to_owned(),
            rtl_sha256: spandrel_abi::manifest::sha256(card.verilog.as_bytes()),
            needs: Needs::of(&board.settings.family, &total),
            whole: board.settings.whole,
            total,
            modules,
        })
    }

    /// Writes `resources.json` and the table in the README.
    pub fn write(&self, board: &Board) -> Result<()> {
        let path = resources_path(board);
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        let readme = board.folder.join("README.md");
        let text =
            std::fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
        let text = with_table(&text, &self.markdown());
        std::fs::write(&readme, text).with_context(|| format!("cannot write {}", readme.display()))
    }

    /// The table for the README.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "`cargo xtask synth --board {}` ({}, before placement):\n\n| | DSP | LUT | FF | BRAM18 | URAM |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n",
            self.board, self.tool
        );
        for (name, needs) in self.rows() {
            let columns = needs.beside(&self.whole).map(|(_, needs, _)| needs.to_string());
            text += &format!("| {name} | {} |\n", columns.join(" | "));
        }
        text += &format!(
            "| **the card** | {} |\n",
            self.needs.beside(&self.whole).map(|(_, needs, _)| format!("**{needs}**")).join(" | ")
        );
        let columns = self.whole.beside(&self.whole).map(|(_, whole, _)| whole.to_string());
        text += &format!("| {} | {} |\n", self.part, columns.join(" | "));
        text += &format!("| of it | {} |\n", self.needs.beside(&self.whole).map(percent).join(" | "));
        text
    }

    /// The table for a terminal.
    pub fn text(&self) -> String {
        let line = |name: &str, columns: [String; 5]| {
            let columns = columns.map(|column| format!("{column:>9}")).concat();
            format!("{name:<52}{columns}\n")
        };
        let mut text = format!("{} ({}), {}, before placement\n", self.board, self.part, self.tool);
        text += &line("", self.needs.beside(&self.whole).map(|(name, ..)| name.to_owned()));
        for (name, needs) in self.rows() {
            text += &line(&name, needs.beside(&self.whole).map(|(_, needs, _)| needs.to_string()));
        }
        text += &line("the card", self.needs.beside(&self.whole).map(|(_, needs, _)| needs.to_string()));
        text += &line("the part", self.whole.beside(&self.whole).map(|(_, whole, _)| whole.to_string()));
        text + &line("of it", self.needs.beside(&self.whole).map(percent))
    }

    /// The largest modules, all instances of each, and the rest.
    fn rows(&self) -> Vec<(String, Needs)> {
        let mut modules: Vec<(&ModuleRow, Needs)> =
            self.modules.iter().map(|row| (row, self.needs_of(row))).collect();
        // By the share of the part that is needed most of.
        let weight = |needs: &Needs| {
            let shares = needs.beside(&self.whole).map(|(_, needs, whole)| 1_000_000 * needs / whole.max(1));
            shares.into_iter().max().unwrap_or_default()
        };
        modules.sort_by_key(|(_, needs)| std::cmp::Reverse(weight(needs)));
        let (named, rest) = modules.split_at(NAMED.min(modules.len()));
        let name = |row: &ModuleRow| match row.instances {
            1 => row.module.clone(),
            count => format!("{count} × {}", row.module),
        };
        let mut rows: Vec<_> = named.iter().map(|(row, needs)| (name(row), *needs)).collect();
        if !rest.is_empty() {
            let sum = rest
                .iter()
                .fold(Resources::default(), |sum, (row, _)| sum.plus(&row.own.times(row.instances)));
            rows.push((format!("{} other modules", rest.len()), Needs::of(&self.family, &sum)));
        }
        rows
    }

    fn needs_of(&self, row: &ModuleRow) -> Needs {
        Needs::of(&self.family, &row.own.times(row.instances))
    }
}

fn percent((_, needs, whole): (&'static str, u64, u64)) -> String {
    match whole {
        0 => "-".to_owned(),
        whole => format!("{:.1} %", 100.0 * needs as f64 / whole as f64),
    }
}

/// The text with another table between the lines that mark it, or with a section for it at its end.
fn with_table(text: &str, table: &str) -> String {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{BEGIN}\n{table}{END}{after}"),
        None => format!("{}\n\n## What it needs\n\n{BEGIN}\n{table}{END}\n", text.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board;

    /// The tables in the folders of boards are those of the card that is described now.
    #[test]
    fn committed_tables_are_of_this_rtl() -> Result<()> {
        let emitter = Emitter::build()?;
        let mut tables = 0;
        for name in board::names()? {
            let board = Board::find(&name)?;
            let Ok(text) = std::fs::read_to_string(resources_path(&board)) else { continue };
            let report: BoardReport = serde_json::from_str(&text)?;
            let card = emitter.emit_card(&name, None)?;
            let remedy = format!("run `cargo xtask synth --board {name} --write` and commit what it writes");
            assert_eq!(
                report.rtl_sha256,
                spandrel_abi::manifest::sha256(card.verilog.as_bytes()),
                "bitstreams/{name}/resources.json is of another card: {remedy}"
            );
            let readme = std::fs::read_to_string(board.folder.join("README.md"))?;
            assert!(
                readme.contains(&report.markdown()),
                "bitstreams/{name}/README.md has another table: {remedy}"
            );
            tables += 1;
        }
        if tables == 0 {
            spandrel_tools::skip("synth::committed_tables_are_of_this_rtl", "no board has a table yet");
        }
        Ok(())
    }

    fn report() -> BoardReport {
        let row = |module: &str, instances, dsp| ModuleRow {
            module: module.into(),
            instances,
            own: Resources { dsp, lut: 10, srl: 1, ..Resources::default() },
        };
        BoardReport {
            board: "some".into(),
            part: "P1".into(),
            family: "xc7".into(),
            tool: "yosys".into(),
            rtl_sha256: "00".into(),
            needs: Needs { dsp: 25, lut: 33, ..Needs::default() },
            whole: Needs { dsp: 100, lut: 1_000, ff: 10, bram18: 10, uram: 0 },
            total: Resources::default(),
            modules: vec![row("small", 1, 5), row("large", 2, 10)],
        }
    }

    #[test]
    fn modules_are_sorted_and_shares_are_of_the_part() {
        let text = report().markdown();
        let large = text.find("| 2 × large | 20 | 22 |").unwrap();
        assert!(large < text.find("| small | 5 | 11 |").unwrap(), "{text}");
        assert!(text.contains("| of it | 25.0 % | 3.3 % | 0.0 % | 0.0 % | - |"), "{text}");
        assert!(report().text().contains("25.0 %"));
    }

    #[test]
    fn the_table_is_replaced_between_its_marks() {
        let text = format!("# Board\n{BEGIN}\nold\n{END}\nmore\n");
        let expected = format!("# Board\n{BEGIN}\nnew\n{END}\nmore\n");
        assert_eq!(with_table(&text, "new\n"), expected);
        let appended = with_table("# Board\n", "old\n");
        assert!(appended.starts_with("# Board\n\n## What it needs\n"), "{appended}");
        assert_eq!(with_table(&appended, "new\n"), appended.replace("old", "new"));
    }
}
