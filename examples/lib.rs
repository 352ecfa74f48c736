//! Programs that show one thing each: see the examples of this package.
