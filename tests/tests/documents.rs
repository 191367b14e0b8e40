//! Documents that are rendered from code are what the code renders.

use spandrel_tools::checkout_root;

#[test]
fn the_register_reference_is_fresh() {
    let page = checkout_root().join("docs/registers.md");
    let found = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    assert!(found == spandrel_abi::docs::render(), "docs/registers.md is stale: run `cargo xtask registers`");
}
