//! Resolving paths over a tree that a backend keeps itself.
