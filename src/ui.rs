//! Colours, messages and the live view.
