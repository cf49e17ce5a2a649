//! Type annotations.

use ruff_python_ast::{Expr, Operator};
use ruff_text_size::Ranged as _;

use super::literal::bytes;
use super::reader::{Context, Reader};

impl<'a> Reader<'a> {
    /// Reads an annotation. It is evaluated at definition unless the file has `from __future__ import annotations`.
    pub(super) fn annotation(&mut self, annotation: &'a Expr) {
        self.expression(annotation, Context::PLAIN);
        if !self.has_lazy_annotations {
            self.evaluated(annotation);
        }
    }

    fn evaluated(&mut self, annotation: &'a Expr) {
        match annotation {
            Expr::Subscript(subscript) => {
                let base = subscript.value.as_name_expr().map(|name| name.id.as_str());
                if matches!(base, Some("list" | "dict" | "tuple" | "set" | "frozenset" | "type")) {
                    self.newer((3, 9), "a subscripted built-in type in an annotation", bytes(subscript.range));
                }
                if base != Some("Literal") {
                    self.evaluated(&subscript.slice);
                }
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.evaluated(element)),
            Expr::List(list) => list.elts.iter().for_each(|element| self.evaluated(element)),
            Expr::BinOp(operation) if operation.op == Operator::BitOr => {
                self.newer((3, 10), "`X | Y` in an annotation", bytes(annotation.range()));
                self.evaluated(&operation.right);
                let mut left = &*operation.left;
                while let Expr::BinOp(inner) = left {
                    self.evaluated(&inner.right);
                    left = &inner.left;
                }
                self.evaluated(left);
            }
            _ => {}
        }
    }
}
