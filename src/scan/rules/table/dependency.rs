//! Rules about what an analysis needs installed.

use super::super::{
    Rule, lock_disagrees, missing_module, missing_name, no_declaration, no_lock, python_range, python_syntax,
    shadowed_venv, undeclared_import, unpinned_dependency, wheel_not_installable,
};

/// They, in no order.
pub(in super::super) const DEPENDENCY: &[&Rule] = &[
    &lock_disagrees::RULE,
    &missing_module::RULE,
    &missing_name::RULE,
    &no_declaration::RULE,
    &no_lock::RULE,
    &python_range::RULE,
    &python_syntax::RULE,
    &shadowed_venv::RULE,
    &undeclared_import::RULE,
    &unpinned_dependency::RULE,
    &wheel_not_installable::RULE,
];
