//! Small dense matrices, for making tables of constants. Not fast, and not used while hashing.

use crate::plain::dot;
use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};

/// A matrix by rows.
pub(crate) type Matrix = Vec<Vec<Fr>>;

/// The identity.
pub(crate) fn identity(size: usize) -> Matrix {
    (0..size)
        .map(|row| (0..size).map(|column| if row == column { Fr::one() } else { Fr::zero() }).collect())
        .collect()
}

/// Rows become columns.
pub(crate) fn transpose(matrix: &Matrix) -> Matrix {
    let columns = matrix.first().map_or(0, Vec::len);
    (0..columns).map(|column| matrix.iter().map(|row| row[column]).collect()).collect()
}

/// `left * right`.
pub(crate) fn product(left: &Matrix, right: &Matrix) -> Matrix {
    let columns = transpose(right);
    left.iter().map(|row| columns.iter().map(|column| dot(row, column)).collect()).collect()
}

/// `matrix * column`.
pub(crate) fn apply(matrix: &Matrix, column: &[Fr]) -> Vec<Fr> {
    matrix.iter().map(|row| dot(row, column)).collect()
}

/// `row * matrix`.
pub(crate) fn apply_left(row: &[Fr], matrix: &Matrix) -> Vec<Fr> {
    transpose(matrix).iter().map(|column| dot(row, column)).collect()
}

/// The inverse by Gauss and Jordan's elimination, where there is one.
pub(crate) fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let size = matrix.len();
    let mut left = matrix.clone();
    let mut right = identity(size);
    for pivot in 0..size {
        let found = (pivot..size).find(|row| !left[*row][pivot].is_zero())?;
        left.swap(pivot, found);
        right.swap(pivot, found);
        let scale = left[pivot][pivot].inverse()?;
        for element in left[pivot].iter_mut().chain(&mut right[pivot]) {
            *element *= scale;
        }
        let (left_pivot, right_pivot) = (left[pivot].clone(), right[pivot].clone());
        for row in (0..size).filter(|row| *row != pivot) {
            let factor = left[row][pivot];
            for (element, of_pivot) in left[row].iter_mut().zip(&left_pivot) {
                *element -= factor * of_pivot;
            }
            for (element, of_pivot) in right[row].iter_mut().zip(&right_pivot) {
                *element -= factor * of_pivot;
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Parameters, WIDTHS};

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        for width in WIDTHS {
            let matrix = &Parameters::new(width).unwrap().mds;
            let inverse = inverse(matrix).unwrap();
            assert_eq!(product(matrix, &inverse), identity(width));
            assert_eq!(product(&inverse, matrix), identity(width));
            let row: Vec<Fr> = (3..).take(width).map(|value: u64| value.into()).collect();
            assert_eq!(apply_left(&apply_left(&row, matrix), &inverse), row);
            assert_eq!(apply(&inverse, &apply(matrix, &row)), row);
        }
        let singular = vec![vec![Fr::one(), Fr::one()], vec![Fr::one(), Fr::one()]];
        assert_eq!(inverse(&singular), None);
        let swapped = vec![vec![Fr::zero(), Fr::one()], vec![Fr::one(), Fr::zero()]];
        assert_eq!(inverse(&swapped), Some(swapped));
    }
}
