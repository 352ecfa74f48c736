//! The names in one directory, in their order: a search tree that copies itself as it is changed.
//!
//! A clone costs one count, and the two share every node that neither has changed since.

use super::inode::Entry;
use std::cmp::Ordering;
use std::ops::ControlFlow;
use triomphe::Arc;

/// How many names or nodes there are in one node. What a change copies grows with it, the depth shrinks.
const MOST: usize = 32;

#[derive(Clone, Default)]
pub(super) struct Names {
    root: Option<Arc<Node>>,
}

type Name = Arc<str>;

#[derive(Clone)]
enum Node {
    Leaf(Vec<(Name, Entry)>),
    /// Below each lie the names from its own on, up to the next one's. The first one's is not looked at: all
    /// that comes before the second lies there.
    Inner(Vec<(Name, Arc<Node>)>),
}

/// Where in a node `name` is, or else would be. With branches, which a processor guesses ahead of the comparisons,
/// unlike `binary_search`: that is faster by half.
fn find<T>(node: &[(Name, T)], name: &str) -> Result<usize, usize> {
    let (mut begin, mut end) = (0, node.len());
    while begin < end {
        let middle = begin.midpoint(end);
        match name.cmp(&node[middle].0) {
            Ordering::Less => end = middle,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => begin = middle + 1,
        }
    }
    Err(begin)
}

/// Below which of an inner node's `name` is or would be.
fn below(nodes: &[(Name, Arc<Node>)], name: &str) -> usize {
    find(nodes, name).unwrap_or_else(|after| after.saturating_sub(1))
}

/// Adds to a node; what is too much for it becomes the next one. Names that come in order leave full nodes behind.
fn put<T>(into: &mut Vec<(Name, T)>, at: usize, new: (Name, T)) -> Option<Vec<(Name, T)>> {
    into.insert(at, new);
    let middle = if at + 1 == into.len() { at } else { into.len() / 2 };
    (into.len() > MOST).then(|| into.split_off(middle))
}

/// Removes from a node. What stays takes about as much memory as it needs, however much was there.
fn take<T>(from: &mut Vec<T>, at: usize) -> T {
    let gone = from.remove(at);
    if from.len() < from.capacity() / 4 {
        from.shrink_to(from.len() * 2);
    }
    gone
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    pub(super) fn get(&self, name: &str) -> Option<Entry> {
        let mut node = self.root.as_ref()?;
        loop {
            match &**node {
                Node::Leaf(names) => return Some(names[find(names, name).ok()?].1),
                Node::Inner(nodes) => node = &nodes[below(nodes, name)].1,
            }
        }
    }

    /// Gives what the name stood for before.
    pub(super) fn insert(&mut self, name: &str, entry: Entry) -> Option<Entry> {
        let root = self.root.get_or_insert_with(|| Arc::new(Node::Leaf(Vec::new())));
        let (before, next) = Node::insert(root, name, entry);
        if let Some(next) = next {
            let first = (next.0.clone(), root.clone());
            *root = Arc::new(Node::Inner(vec![first, next]));
        }
        before
    }

    /// Gives what the name stood for.
    pub(super) fn remove(&mut self, name: &str) -> Option<Entry> {
        // What is not there is not worth a copy of the way to it.
        self.get(name)?;
        let root = self.root.as_mut()?;
        let gone = Node::remove(root, name);
        if root.is_empty() {
            self.root = None;
        }
        gone
    }

    /// Shows what comes after `name`, or everything, until `see` breaks.
    pub(super) fn after(&self, name: Option<&str>, mut see: impl FnMut(&str, Entry) -> ControlFlow<()>) {
        if let Some(root) = &self.root {
            let _ = root.after(name, &mut see);
        }
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(names) => names.is_empty(),
            Self::Inner(nodes) => nodes.is_empty(),
        }
    }

    /// Gives what the name stood for before, and the node that must come after this one.
    fn insert(this: &mut Arc<Self>, name: &str, entry: Entry) -> (Option<Entry>, Option<(Name, Arc<Self>)>) {
        match Arc::make_mut(this) {
            Self::Leaf(names) => match find(names, name) {
                Ok(at) => (Some(std::mem::replace(&mut names[at].1, entry)), None),
                Err(at) => {
                    let next = put(names, at, (name.into(), entry));
                    (None, next.map(|names| (names[0].0.clone(), Arc::new(Self::Leaf(names)))))
                }
            },
            Self::Inner(nodes) => {
                let at = below(nodes, name);
                let (before, next) = Self::insert(&mut nodes[at].1, name, entry);
                let next = next.and_then(|next| put(nodes, at + 1, next));
                (before, next.map(|nodes| (nodes[0].0.clone(), Arc::new(Self::Inner(nodes)))))
            }
        }
    }

    fn remove(this: &mut Arc<Self>, name: &str) -> Option<Entry> {
        match Arc::make_mut(this) {
            Self::Leaf(names) => find(names, name).ok().map(|at| take(names, at).1),
            Self::Inner(nodes) => {
                let at = below(nodes, name);
                let gone = Self::remove(&mut nodes[at].1, name);
                if nodes[at].1.is_empty() {
                    take(nodes, at);
                }
                gone
            }
        }
    }

    fn after(
        &self,
        name: Option<&str>,
        see: &mut impl FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Leaf(names) => {
                let begin = name.map_or(0, |name| find(names, name).map_or_else(|after| after, |at| at + 1));
                names[begin..].iter().try_for_each(|(name, entry)| see(name, *entry))
            }
            Self::Inner(nodes) => {
                let begin = name.map_or(0, |name| below(nodes, name));
                nodes[begin..].iter().try_for_each(|(_, node)| node.after(name, see))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use wasi_host_core::fs::FileType;

    fn entry(ino: u64) -> Entry {
        Entry { ino, kind: FileType::RegularFile }
    }

    fn list(names: &Names, after: Option<&str>, most: usize) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        names.after(after, |name, entry| {
            all.push((name.to_owned(), entry.ino));
            if all.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Like a map of the standard library, and so is every clone of it ever after. First it grows, then it
        /// shrinks, so that there is more than one level of it.
        #[test]
        fn a_map_whose_clones_stay_as_they_are(
            grow in prop::collection::vec((0..3000_u64, 0..5_u8), 1..3000),
            shrink in prop::collection::vec((0..3000_u64, 0..5_u8), 1..3000),
            ordered in any::<bool>(),
        ) {
            let (mut names, mut map) = (Names::default(), BTreeMap::new());
            let mut kept = Vec::new();
            for (i, (key, what)) in grow.iter().chain(&shrink).enumerate() {
                let name = if ordered && i < grow.len() { format!("{i:06}") } else { format!("{key}") };
                if (*what > 0) == (i < grow.len()) {
                    prop_assert_eq!(names.insert(&name, entry(i as u64)), map.insert(name, entry(i as u64)));
                } else {
                    prop_assert_eq!(names.remove(&name), map.remove(&name));
                }
                if i % 500 == 0 {
                    kept.push((names.clone(), map.clone()));
                }
                prop_assert_eq!(names.is_empty(), map.is_empty());
            }
            kept.push((names, map));
            for (names, map) in kept {
                let expected: Vec<_> = map.iter().map(|(name, entry)| (name.clone(), entry.ino)).collect();
                prop_assert_eq!(&list(&names, None, usize::MAX), &expected);
                for at in (0..3000).step_by(117) {
                    let name = format!("{at}");
                    prop_assert_eq!(names.get(&name), map.get(&name).copied());
                    let begin = expected.partition_point(|(other, _)| *other <= name);
                    let end = expected.len().min(begin + 40);
                    prop_assert_eq!(&list(&names, Some(&name), 40), &expected[begin..end]);
                }
            }
        }
    }

    #[test]
    fn ends_empty() {
        let mut names = Names::default();
        (0..5000).for_each(|i| _ = names.insert(&i.to_string(), entry(i)));
        (0..5000).rev().for_each(|i| assert_eq!(names.remove(&i.to_string()), Some(entry(i))));
        assert!(names.is_empty());
    }
}
