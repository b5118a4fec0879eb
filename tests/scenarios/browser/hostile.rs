//! Pages where something is missing, broken, blocked or wrong: the page never hears of it.

mod arguments;
mod early;
mod places;
mod surroundings;
mod visit;
