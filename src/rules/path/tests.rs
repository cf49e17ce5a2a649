//! Rules about paths, on views made by hand.
