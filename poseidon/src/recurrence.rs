//! Tables for the partial rounds as a linear recurrence, with one reduction a round besides the S-box's.
//!
//! Let u be element 0 before a partial round's S-box, y = u^5 behind it, and s the other d = t - 1 elements. In blocks the
//! matrix is (m00, v; w, N), and with all constants but those of element 0 moved to the front (see [`crate::SparseRounds`])
//! round k is
//!
//! > u(k+1) = m00 y(k) + g(k) + q(k) with g(k) = v s(k), and s(k+1) = w y(k) + N s(k).
//!
//! The elements s are seen through g only. By Cayley and Hamilton N^d is the sum of a_i N^(d-i), i = 1..d, so that g
//! obeys a recurrence of d terms, driven by the y; with g(k) = u(k+1) - m00 y(k) - q(k) put in,
//!
//! > u(k+1) = b_0 y(k) + sum over i = 1..d of (a_i u(k+1-i) + b_i y(k-i)) + Q(k),
//!
//! where b_0 = m00, b_i = e_i - a_i m00, e_i = h_(i-1) - (sum over j < i of a_j h_(i-1-j)), h_i = v N^i w, and Q(k) = q(k) -
//! sum of a_i q(k-i). That is as many products as a sparse round has, but they are one sum, and all of it but y(k)
//! is known before the S-box begins.
//!
//! - *Start.* Before round 1 there are no u and y. They are made up: y = 0, and u(2-i) = v N^(-i) s(1), from which N leads
//!   to s(1). These products are multiplied into the matrix of the full round before.
//! - *Scale.* With u(k) kept as l(k) u(k), and so y(k) as l(k)^5 y(k), the choice l(k+1) = l(k)^5 / b_0 makes y(k)'s
//!   factor 1: one product less.
//! - *End.* The last d values of u and y determine s behind the last round: see [`Exit`].

use crate::limbs::{Limbs, from_element};
use crate::matrix::{Matrix, apply, apply_left, identity, inverse, product};
use crate::parameters::Parameters;
use crate::plain::{dot, fifth_power};
use ark_bn254::{Fr, FrConfig};
use ark_ff::{Field, MontConfig, One, Zero};

/// A sum of products with K factors: what is added to it, and the factors.
pub(crate) struct Sum<const K: usize> {
    /// What is added, times R: it passes through the sum's reduction.
    pub(crate) start: Limbs,
    pub(crate) factors: [Limbs; K],
}

impl<const K: usize> Sum<K> {
    fn new(added: Fr, factors: &[Fr]) -> Sum<K> {
        assert_eq!(factors.len(), K, "a table has as many factors as its sum");
        let times_r = Fr::new_unchecked(<FrConfig as MontConfig<4>>::R2);
        let start = from_element(&(added * times_r));
        Sum { start, factors: std::array::from_fn(|index| from_element(&factors[index])) }
    }
}

/// Tables of a permutation of T elements, with K = 2 (T - 1) products in a partial round.
pub(crate) struct Tables<const T: usize, const K: usize> {
    /// Added before the first S-box.
    pub(crate) initial: [Limbs; T],
    /// The full rounds before the partial ones; the last of them leads to element 0 and the made-up u(1), u(0), ...
    pub(crate) first: Vec<[Sum<T>; T]>,
    /// Partial rounds: factors of u(k), y(k-1), u(k-1), y(k-2), ...
    pub(crate) partial: Vec<Sum<K>>,
    /// The way back to the state.
    pub(crate) exit: Exit<T, K>,
    /// The full rounds after the partial ones.
    pub(crate) last: Vec<[Sum<T>; T]>,
}

/// From the last u and y to the state.
///
/// With m = n + 1 - d and n the last round, g(m+i) = v N^i s(m) + sum over j = 1..i of h_(j-1) y(m+i-j) for i = 0..d-1. These d equations
/// give s(m), and N leads from there to s(n+1), which so is a linear function of the last d values of u and y.
pub(crate) struct Exit<const T: usize, const K: usize> {
    /// Takes the scale off element 0.
    pub(crate) scale: Limbs,
    /// Elements 1 to T - 1, of u(n+1), y(n), u(n), y(n-1), ...
    pub(crate) others: Vec<Sum<K>>,
}

impl<const T: usize, const K: usize> Tables<T, K> {
    pub(crate) fn new(parameters: &Parameters) -> Tables<T, K> {
        let Parameters { full_rounds, partial_rounds, ref round_constants, ref mds, .. } = *parameters;
        let half = full_rounds / 2;
        let zeros = vec![Fr::zero(); T];
        let behind = |round: usize| round_constants.get(round + 1).unwrap_or(&zeros);
        let blocks = Blocks::new(mds);

        // Constants behind the round before the partial ones, and q.
        let mut entry = behind(half - 1).clone();
        let mut added = vec![Fr::zero(); partial_rounds];
        let mut moved = vec![Fr::zero(); T - 1];
        for (index, added) in added.iter_mut().enumerate().rev() {
            let constants = behind(half + index);
            let others: Vec<Fr> = constants[1..].iter().zip(&moved).map(|(a, b)| *a + b).collect();
            moved = apply(&blocks.inner_inverse, &others);
            *added = constants[0] - dot(&blocks.row, &moved);
        }
        entry[1..].iter_mut().zip(&moved).for_each(|(constant, moved)| *constant += moved);

        let full = |matrix: &Matrix, added: &[Fr]| -> [Sum<T>; T] {
            std::array::from_fn(|row| Sum::new(added[row], &matrix[row]))
        };
        let mut first: Vec<_> = (0..half - 1).map(|round| full(mds, behind(round))).collect();
        let seen = blocks.seen_before();
        first.push(full(&product(&seen, mds), &apply(&seen, &entry)));
        let scales = blocks.scales(partial_rounds);
        Tables {
            initial: std::array::from_fn(|index| from_element(&round_constants[0][index])),
            first,
            partial: blocks.partial(&added, &scales),
            exit: blocks.exit(&added, &scales),
            last: (half + partial_rounds..round_constants.len())
                .map(|round| full(mds, behind(round)))
                .collect(),
        }
    }
}

/// The matrix in blocks, and what follows from them; names as in the module's text.
struct Blocks {
    /// d.
    size: usize,
    /// m00.
    corner: Fr,
    /// v.
    row: Vec<Fr>,
    /// w.
    column: Vec<Fr>,
    /// N.
    inner: Matrix,
    inner_inverse: Matrix,
    /// a_1 to a_d.
    recurrence: Vec<Fr>,
    /// h_0 to h_(d-1).
    response: Vec<Fr>,
}

impl Blocks {
    fn new(mds: &Matrix) -> Blocks {
        let size = mds.len() - 1;
        let row = mds[0][1..].to_vec();
        let column: Vec<Fr> = mds[1..].iter().map(|row| row[0]).collect();
        let inner: Matrix = mds[1..].iter().map(|row| row[1..].to_vec()).collect();
        let inner_inverse =
            inverse(&inner).expect("the matrix without its first row and column can be inverted");
        let mut blocks = Blocks {
            size,
            corner: mds[0][0],
            row,
            column,
            inner,
            inner_inverse,
            recurrence: Vec::new(),
            response: Vec::new(),
        };
        let rows = blocks.rows_seen(size + 1);
        // v N^d is the sum of a_i v N^(d-i), and the v N^i are independent.
        let observed = inverse(&rows[..size].to_vec()).expect("the first element depends on all others");
        blocks.recurrence = apply_left(&rows[size], &observed).into_iter().rev().collect();
        blocks.response = rows[..size].iter().map(|row| dot(row, &blocks.column)).collect();
        blocks
    }

    /// v, v N, v N^2, ...
    fn rows_seen(&self, count: usize) -> Matrix {
        std::iter::successors(Some(self.row.clone()), |row| Some(apply_left(row, &self.inner)))
            .take(count)
            .collect()
    }

    /// The map from (u(1), s(1)) to u(1) and the made-up u(2-i), i = 1..d.
    fn seen_before(&self) -> Matrix {
        let mut map = identity(self.size + 1);
        let mut row = self.row.clone();
        for target in &mut map[1..] {
            row = apply_left(&row, &self.inner_inverse);
            target[1..].copy_from_slice(&row);
        }
        map
    }

    /// b_1 to b_d.
    fn drive(&self) -> Vec<Fr> {
        let (a, h) = (&self.recurrence, &self.response);
        let term = |i: usize| {
            h[i - 1] - (1..i).map(|j| a[j - 1] * h[i - 1 - j]).sum::<Fr>() - a[i - 1] * self.corner
        };
        (1..=self.size).map(term).collect()
    }

    /// l(1) to l(n+1).
    fn scales(&self, rounds: usize) -> Vec<Fr> {
        let step = |scale: &Fr| Some(fifth_power(scale) * inverted(&self.corner));
        std::iter::successors(Some(Fr::one()), step).take(rounds + 1).collect()
    }

    fn partial<const K: usize>(&self, added: &[Fr], scales: &[Fr]) -> Vec<Sum<K>> {
        let drive = self.drive();
        let round = |index: usize| {
            // Round k = index + 1; what was before round 1 has the scale 1.
            let scale = scales[index + 1];
            let mut sum = added[index];
            let mut factors = Vec::with_capacity(K);
            for i in 1..=self.size {
                let a = self.recurrence[i - 1];
                let made_up = index < i;
                let (scale_u, scale_y) = if made_up {
                    (Fr::one(), Fr::one())
                } else {
                    (scales[index + 1 - i], fifth_power(&scales[index - i]))
                };
                factors.push(a * scale * inverted(&scale_u));
                factors.push(drive[i - 1] * scale * inverted(&scale_y));
                if !made_up {
                    sum -= a * added[index - i];
                }
            }
            Sum::new(sum * scale, &factors)
        };
        (0..added.len()).map(round).collect()
    }

    fn exit<const T: usize, const K: usize>(&self, added: &[Fr], scales: &[Fr]) -> Exit<T, K> {
        let d = self.size;
        let rows = self.rows_seen(d);
        let mut power = identity(d);
        // Columns N^(d-1-i) w of y(m+i), last first.
        let mut driven = Vec::new();
        for _ in 0..d {
            driven.push(apply(&power, &self.column));
            power = product(&power, &self.inner);
        }
        let from_seen = product(&power, &inverse(&rows).expect("the first element depends on all others"));
        // How y(m+i) is part of g(m+i'), besides s(m).
        let part: Matrix = (0..d)
            .map(|of| {
                let entry = |by: usize| match by {
                    by if by == of => self.corner,
                    by if by < of => self.response[of - 1 - by],
                    _ => Fr::zero(),
                };
                (0..d).map(entry).collect()
            })
            .collect();
        let by_y = product(&from_seen, &part);
        let n = added.len();
        let moved = apply(&from_seen, &added[n - d..]);
        let others = (0..d).map(|element| {
            let mut factors = Vec::with_capacity(K);
            // i from d - 1 down: the latest u and y first.
            for back in 0..d {
                let i = d - 1 - back;
                factors.push(from_seen[element][i] * inverted(&scales[n - back]));
                let y = driven[back][element] - by_y[element][i];
                factors.push(y * inverted(&fifth_power(&scales[n - 1 - back])));
            }
            Sum::new(-moved[element], &factors)
        });
        Exit { scale: from_element(&inverted(&scales[n])), others: others.collect() }
    }
}

/// The inverse of an element that is not zero: the matrix has no zero.
fn inverted(element: &Fr) -> Fr {
    element.inverse().unwrap_or_default()
}
