mod open;
mod unpack;
