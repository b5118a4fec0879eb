//! What the SDK sends when, seen by a server that answers as it is told.

mod answers;
