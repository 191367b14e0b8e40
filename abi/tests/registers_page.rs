//! `docs/registers.md` says what this crate says.

#[test]
fn page_is_what_the_tables_render() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/registers.md");
    let page = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask registers`", path.display()));
    let rendered = spandrel_abi::docs::render();
    // Checkouts with other line ends are not stale.
    for (number, (page, rendered)) in page.lines().zip(rendered.lines()).enumerate() {
        assert_eq!(
            page,
            rendered,
            "docs/registers.md is stale at line {}: run `cargo xtask registers`",
            number + 1
        );
    }
    assert_eq!(
        page.lines().count(),
        rendered.lines().count(),
        "docs/registers.md has another number of lines than the tables give: run `cargo xtask registers`"
    );
}

#[test]
fn page_names_everything_and_its_tables_are_whole() {
    let page = spandrel_abi::docs::render();
    for register in spandrel_abi::REGISTERS.iter().chain(spandrel_abi::LINK_REGISTERS) {
        assert!(page.contains(&format!("| `0x{:03x}` | `{}` |", register.offset, register.name)));
        for field in register.fields {
            assert!(page.contains(&format!("| | `{}` | bits ", field.name)), "{}", field.name);
        }
    }
    // A cell with a bar or a line end in it would break its table.
    let mut columns = None;
    for line in page.lines() {
        let bars = line.starts_with('|').then(|| line.matches('|').count());
        if let (Some(before), Some(now)) = (columns, bars) {
            assert_eq!(before, now, "{line}");
        }
        columns = bars;
    }
}
