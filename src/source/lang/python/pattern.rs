//! Patterns of a `match` statement.

use ruff_python_ast::Pattern;

use super::reader::{Context, Reader};
use crate::source::lang::span::Role;

impl<'a> Reader<'a> {
    /// Reads a pattern. Its values are compared.
    pub(super) fn pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::MatchValue(it) => self.expression(&it.value, Context::PLAIN.with_role(Role::Guard)),
            Pattern::MatchSequence(it) => self.patterns(&it.patterns),
            Pattern::MatchOr(it) => self.patterns(&it.patterns),
            Pattern::MatchMapping(it) => {
                for key in &it.keys {
                    self.expression(key, Context::PLAIN.with_role(Role::Guard));
                }
                self.patterns(&it.patterns);
            }
            Pattern::MatchClass(it) => {
                self.patterns(&it.arguments.patterns);
                for keyword in &it.arguments.keywords {
                    self.pattern(&keyword.pattern);
                }
            }
            Pattern::MatchAs(it) => {
                if let Some(inner) = &it.pattern {
                    self.pattern(inner);
                }
            }
            Pattern::MatchSingleton(_) | Pattern::MatchStar(_) => {}
        }
    }

    fn patterns(&mut self, patterns: &'a [Pattern]) {
        for pattern in patterns {
            self.pattern(pattern);
        }
    }
}
