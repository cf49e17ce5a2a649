//! The documentation: what it shows is what happens, what it names exists, and no link leads nowhere.

mod command;
mod link;
mod page;
mod text;
