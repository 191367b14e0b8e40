//! `spandrel poseidon` and `spandrel bench poseidon`, through the binary.

mod common;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use common::{put, report, run};
use spandrel::formats::{write_binary_elements, write_elements};
use spandrel::workload::elements;
use spandrel_poseidon::{Hasher, Output};
use std::path::Path;

const ONE_TWO: &str = "7853200120776062878684798364095072458815029376092732009249414926327459813530\n";
const MODULUS: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";

/// Standard output of a command that succeeds.
#[track_caller]
fn printed(directory: &Path, arguments: &[&str]) -> String {
    run(directory, 0, arguments).0
}

fn digests(t: usize, output: Output, elements: &[Fr]) -> String {
    String::from_utf8(write_elements(&Hasher::new(t, output).unwrap().hash_many(elements).unwrap())).unwrap()
}

#[test]
fn hashes_elements_of_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let printed = |arguments: &[&str]| printed(directory.path(), &[&["poseidon"], arguments].concat());
    assert_eq!(printed(&["1", "2"]), ONE_TWO);
    assert_eq!(printed(&["0x1", "0x02", "--t", "3", "--output", "first"]), ONE_TWO);
    let second = "7142104613055408817911962100316808866448378443474503659992478482890339429929\n";
    assert_eq!(printed(&["1", "2", "--output", "second"]), second);
    let one = "18586133768512220936620570745912940619677854269274689475585506675881198879027\n";
    assert_eq!(printed(&["1"]), one);
    // Cut into messages of two.
    assert_eq!(printed(&["1", "2", "1", "2", "--t", "3"]), [ONE_TWO, ONE_TWO].concat());
    let hasher = Hasher::new(3, Output::First).unwrap();
    let five: Vec<Fr> = (1..=5).map(Fr::from).collect();
    assert_eq!(printed(&["1", "2", "3", "4", "5", "--sponge"]), format!("{}\n", hasher.sponge(&five)));
    assert_eq!(printed(&["--sponge"]), format!("{}\n", hasher.sponge(&[])));
    let pairs = printed(&["1", "2", "3", "4", "--sponge", "--each", "2"]);
    assert_eq!(pairs, format!("{}\n{}\n", hasher.sponge(&five[..2]), hasher.sponge(&five[2..4])));

    let json = report(directory.path(), &["poseidon", "1", "2", "--json"]);
    assert_eq!(
        (&json["t"], &json["message_elements"], &json["backend"]),
        (&3.into(), &2.into(), &"cpu".into())
    );
    assert_eq!(json["digests"], serde_json::json!([ONE_TWO.trim()]));
}

#[test]
fn files_of_every_format_hash_to_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let elements = elements(60, 5);
    let hexadecimal = |element: &Fr| {
        let bytes = element.into_bigint().to_bytes_be();
        format!("0x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let hex: String = elements.iter().map(|element| format!("  {}\r\n\r\n", hexadecimal(element))).collect();
    put(directory.path(), "decimal.txt", &write_elements(&elements));
    // Without an end of the last line.
    put(directory.path(), "hex.txt", hex.trim_end().as_bytes());
    put(directory.path(), "elements.bin", &write_binary_elements(&elements));
    put(directory.path(), "empty", b"");
    for t in ["2", "3", "4", "5"] {
        let expected = digests(t.parse().unwrap(), Output::First, &elements);
        for file in ["decimal.txt", "hex.txt", "elements.bin"] {
            assert_eq!(printed(directory.path(), &["poseidon", file, "--t", t]), expected);
        }
    }
    let second = digests(3, Output::Second, &elements);
    assert_eq!(printed(directory.path(), &["poseidon", "elements.bin", "--output", "second"]), second);
    assert_eq!(printed(directory.path(), &["poseidon", "empty"]), "");
    // Text that nobody would take for text by its look.
    put(directory.path(), "01", &write_elements(&elements));
    assert_eq!(
        printed(directory.path(), &["poseidon", "./01", "--format", "text"]),
        digests(3, Output::First, &elements)
    );
}

#[test]
fn malformed_inputs_are_refused_by_name_and_place() {
    let directory = tempfile::tempdir().unwrap();
    let mut beyond = write_binary_elements(&elements(4, 1));
    beyond[64..96].copy_from_slice(&[0xff; 32]);
    let modulus = [&b"1\n2\n\n"[..], MODULUS.as_bytes(), b"\n"].concat();
    let cases: [(&[u8], &str); 8] = [
        (&beyond, "elements: element 2, at byte 64, is not below the field's modulus"),
        (&beyond[..63], "elements: an element at byte 32 needs 32 bytes, but only 31 are left"),
        (&modulus, "elements: line 4 is not below the field's modulus"),
        (b"1\nsecret\n", "elements: line 2 is not a number"),
        (
            b"1\nff\n",
            "elements: line 2 is not a number: write decimal digits, or hexadecimal digits after 0x",
        ),
        (b"1\n-2\n", "elements: line 2 is not a number"),
        (b"1 2\n", "elements: line 1 is not a number"),
        (b"1\n2\n3\n", "3 elements cannot be cut into messages of 2"),
    ];
    for (content, message) in cases {
        put(directory.path(), "elements", content);
        let (out, err) = run(directory.path(), 3, &["poseidon", "elements"]);
        assert!(err.contains(message) && out.is_empty(), "{err}");
        // What a file holds may be secret.
        assert!(!err.contains("secret"), "{err}");
    }
    put(directory.path(), "elements", b"1\n2\n");
    let (_, err) = run(directory.path(), 3, &["poseidon", "elements", "--format", "binary"]);
    assert!(err.contains("needs 32 bytes") && err.contains("what to do: "), "{err}");
    let (_, err) = run(directory.path(), 3, &["poseidon", "missing"]);
    assert!(err.contains("missing: cannot be opened"), "{err}");

    let usage: [(&[&str], &str); 10] = [
        (&["1", "two"], "element 2 is not a number"),
        (&["1", MODULUS], "element 2 is not below the field's modulus"),
        (&["1", "2", "3", "4", "5"], "5 elements are no message of fixed length"),
        (&[], "0 elements are no message of fixed length"),
        (&["1", "--t", "6"], "use a width of 2 to 5"),
        (&["1", "--t", "many"], "not a number of elements"),
        (&["1", "--each", "1"], "--sponge"),
        (&["1", "--sponge", "--output", "second"], "--output"),
        (&["1", "--card", "sim"], "the CPU has no card"),
        (&["1", "--backend", "card", "--card", "none"], "there is no card \"none\""),
    ];
    for (arguments, message) in usage {
        let (out, err) = run(directory.path(), 2, &[&["poseidon"], arguments].concat());
        assert!(err.contains(message) && out.is_empty(), "{err}");
    }
}

#[test]
fn bench_compares_with_light_poseidon() {
    let directory = tempfile::tempdir().unwrap();
    for t in ["2", "5"] {
        let arguments = ["bench", "poseidon", "--t", t, "--count", "64", "--turns", "9", "--json"];
        let json = report(directory.path(), &arguments);
        assert_eq!((&json["equal"], &json["turns"], &json["count"]), (&true.into(), &9.into(), &64.into()));
        // It measures twice that; what else the machine does takes from both, in turns.
        assert!(json["ratio"].as_f64().unwrap() > 1.0, "{json}");
        assert!(json["hashes_per_second_all_cores"].as_f64().unwrap() > 0.0);
    }
    let text = printed(directory.path(), &["bench", "poseidon", "--count", "10", "--turns", "1"]);
    assert!(text.contains("light-poseidon") && text.contains("ratio"), "{text}");
}
