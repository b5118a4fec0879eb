//! Windows and topologies as a pure library.
