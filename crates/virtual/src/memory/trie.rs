//! A map from numbers that copies itself as it is changed: for the inodes of a tree and for the pages of a file.
//!
//! A clone costs one count, and the two share every branch that neither has changed since. Sixteen ways at each
//! branch, so that a change copies little; as many levels as the largest key needs.

use triomphe::Arc;

const BITS: u32 = 4;
const WAYS: usize = 1 << BITS;

/// `T` is cloned with the branch that holds it, and should be as cheap: an `Arc`. Keys are below `1 << 60`.
#[derive(Clone)]
pub(super) struct Trie<T> {
    root: Node<T>,
    /// Levels of branches above the values.
    height: u32,
}

#[derive(Clone)]
enum Node<T> {
    Empty,
    Value(T),
    Branch(Arc<Branch<T>>),
}

#[derive(Clone)]
struct Branch<T> {
    /// How many values there are below.
    len: u64,
    below: [Node<T>; WAYS],
}

/// How many keys there are in `levels` levels.
fn span(levels: u32) -> u64 {
    1 << (BITS * levels)
}

/// Which way a key goes from a branch that has `levels` levels, itself among them.
fn way(key: u64, levels: u32) -> usize {
    (key >> (BITS * (levels - 1))) as usize % WAYS
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Self { root: Node::Empty, height: 0 }
    }
}

impl<T: Clone> Trie<T> {
    /// How many values there are.
    pub(super) fn len(&self) -> u64 {
        self.root.len()
    }

    pub(super) fn get(&self, key: u64) -> Option<&T> {
        if key >= span(self.height) {
            return None;
        }
        let (mut node, mut levels) = (&self.root, self.height);
        loop {
            match node {
                Node::Empty => return None,
                Node::Value(value) => return Some(value),
                Node::Branch(branch) => {
                    node = &branch.below[way(key, levels)];
                    levels -= 1;
                }
            }
        }
    }

    /// The value to be changed: what leads to it is this map's own from now on.
    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        if key >= span(self.height) {
            return None;
        }
        let (mut node, mut levels) = (&mut self.root, self.height);
        loop {
            match node {
                Node::Empty => return None,
                Node::Value(value) => return Some(value),
                Node::Branch(branch) => {
                    if !Arc::is_unique(branch) {
                        Branch::copy(branch);
                    }
                    node = &mut Arc::get_mut(branch)?.below[way(key, levels)];
                    levels -= 1;
                }
            }
        }
    }

    /// Gives what was there before.
    pub(super) fn insert(&mut self, key: u64, value: T) -> Option<T> {
        self.grow(key);
        self.root.insert(self.height, key, value)
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<T> {
        // What is not there is not worth a copy of the way to it.
        self.get(key)?;
        self.root.remove(self.height, key)
    }

    /// Removes every key from `from` on.
    pub(super) fn cut(&mut self, from: u64) {
        if from < span(self.height) {
            self.root.cut(self.height, from);
        }
        if self.len() == 0 {
            self.height = 0;
        }
    }

    /// Lets every key from `first` to `last` that has none have this value. However many these are, it takes
    /// only as much time and memory as there are others among them.
    pub(super) fn fill(&mut self, first: u64, last: u64, value: T) {
        self.grow(last);
        // What is full on each level, to be shared by all places on that level.
        let mut full = vec![Node::Value(value)];
        for levels in 1..=self.height {
            let below = std::array::from_fn(|_| full[full.len() - 1].clone());
            full.push(Node::Branch(Arc::new(Branch { len: span(levels), below })));
        }
        self.root.fill(self.height, first, last, &full);
    }

    /// Adds levels until there is a place for `key`.
    fn grow(&mut self, key: u64) {
        while key >= span(self.height) {
            let root = std::mem::replace(&mut self.root, Node::Empty);
            self.height += 1;
            if !matches!(root, Node::Empty) {
                let len = root.len();
                self.root.with_branch(|branch| {
                    branch.below[0] = root;
                    branch.len = len;
                });
            }
        }
    }
}

impl<T: Clone> Node<T> {
    fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Value(_) => 1,
            Self::Branch(branch) => branch.len,
        }
    }

    /// Changes the branch that it is, or becomes one; then it is empty if nothing is left.
    fn with_branch<R>(&mut self, change: impl FnOnce(&mut Branch<T>) -> R) -> R {
        if let Self::Branch(branch) = self {
            let branch = Arc::make_mut(branch);
            let result = change(branch);
            if branch.len == 0 {
                *self = Self::Empty;
            }
            return result;
        }
        let mut branch = Branch { len: 0, below: std::array::from_fn(|_| Self::Empty) };
        let result = change(&mut branch);
        *self = Self::Branch(Arc::new(branch));
        result
    }

    fn insert(&mut self, levels: u32, key: u64, value: T) -> Option<T> {
        if levels == 0 {
            return match std::mem::replace(self, Self::Value(value)) {
                Self::Value(before) => Some(before),
                _ => None,
            };
        }
        self.with_branch(|branch| {
            let before = branch.below[way(key, levels)].insert(levels - 1, key, value);
            branch.len += u64::from(before.is_none());
            before
        })
    }

    fn remove(&mut self, levels: u32, key: u64) -> Option<T> {
        if levels == 0 {
            return match std::mem::replace(self, Self::Empty) {
                Self::Value(before) => Some(before),
                _ => None,
            };
        }
        self.with_branch(|branch| {
            let before = branch.below[way(key, levels)].remove(levels - 1, key);
            branch.len -= u64::from(before.is_some());
            before
        })
    }

    /// Here and in `fill` keys count from the first one below.
    fn cut(&mut self, levels: u32, from: u64) {
        if from == 0 {
            *self = Self::Empty;
        } else if let Self::Branch(_) = self {
            self.with_branch(|branch| {
                let at = way(from, levels);
                branch.below[at + 1..].fill(Self::Empty);
                branch.below[at].cut(levels - 1, from % span(levels - 1));
                branch.count();
            });
        }
    }

    fn fill(&mut self, levels: u32, first: u64, last: u64, full: &[Self]) {
        let all = &full[levels as usize];
        if self.len() == all.len() {
            return;
        }
        if matches!(self, Self::Empty) && first == 0 && last == span(levels) - 1 {
            *self = all.clone();
            return;
        }
        self.with_branch(|branch| {
            let (begin, end) = (way(first, levels), way(last, levels));
            let each = span(levels - 1);
            for at in begin..=end {
                let first = if at == begin { first % each } else { 0 };
                let last = if at == end { last % each } else { each - 1 };
                branch.below[at].fill(levels - 1, first, last, full);
            }
            branch.count();
        });
    }
}

impl<T: Clone> Branch<T> {
    /// `Arc::make_mut` of what is shared: apart, so that the way is short where nothing is.
    #[cold]
    #[inline(never)]
    fn copy(this: &mut Arc<Self>) {
        *this = Arc::new((**this).clone());
    }

    fn count(&mut self) {
        self.len = self.below.iter().map(Node::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, u32),
        Change(u64, u32),
        Remove(u64),
        Cut(u64),
        Fill(u64, u64, u32),
        Keep,
    }

    fn key() -> impl Strategy<Value = u64> {
        prop_oneof![0..40_u64, 0..5000_u64, 0..1_u64 << 52]
    }

    fn step() -> impl Strategy<Value = Step> {
        let near = (0..5000_u64, 0..600_u64, any::<u32>());
        prop_oneof![
            4 => (key(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, v)),
            2 => (key(), any::<u32>()).prop_map(|(k, v)| Step::Change(k, v)),
            3 => key().prop_map(Step::Remove),
            1 => key().prop_map(Step::Cut),
            1 => near.prop_map(|(first, more, v)| Step::Fill(first, first + more, v)),
            1 => Just(Step::Keep),
        ]
    }

    fn same(trie: &Trie<u32>, map: &BTreeMap<u64, u32>) {
        assert_eq!(trie.len(), map.len() as u64);
        for (key, value) in map {
            assert_eq!(trie.get(*key), Some(value));
            for near in [key.wrapping_sub(1), key + 1] {
                assert_eq!(trie.get(near), map.get(&near));
            }
        }
    }

    proptest! {
        /// Like a map of the standard library, and so is every clone of it ever after.
        #[test]
        fn a_map_whose_clones_stay_as_they_are(steps in prop::collection::vec(step(), 1..200)) {
            let (mut trie, mut map) = (Trie::default(), BTreeMap::new());
            let mut kept = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(k, v) => assert_eq!(trie.insert(k, v), map.insert(k, v)),
                    Step::Change(k, v) => {
                        let (a, b) = (trie.get_mut(k), map.get_mut(&k));
                        assert_eq!(a, b);
                        if let (Some(a), Some(b)) = (a, b) {
                            (*a, *b) = (v, v);
                        }
                    }
                    Step::Remove(k) => assert_eq!(trie.remove(k), map.remove(&k)),
                    Step::Cut(k) => {
                        trie.cut(k);
                        map.split_off(&k);
                    }
                    Step::Fill(first, last, v) => {
                        trie.fill(first, last, v);
                        (first..=last).for_each(|k| _ = map.entry(k).or_insert(v));
                    }
                    Step::Keep => kept.push((trie.clone(), map.clone())),
                }
                assert_eq!(trie.len(), map.len() as u64);
            }
            kept.push((trie, map));
            kept.iter().for_each(|(trie, map)| same(trie, map));
        }
    }

    #[test]
    fn a_thousand_million_of_the_same_cost_nothing() {
        let mut trie = Trie::default();
        trie.insert(1 << 20, 7);
        trie.fill(5, (1 << 40) + 5, 1);
        assert_eq!(trie.len(), (1 << 40) + 1);
        assert_eq!(
            [4, 5, 1 << 20, (1 << 40) + 5, (1 << 40) + 6].map(|key| trie.get(key).copied()),
            [None, Some(1), Some(7), Some(1), None]
        );
        trie.insert(1 << 30, 3);
        trie.cut((1 << 30) + 1);
        assert_eq!((trie.len(), trie.get(1 << 30)), ((1 << 30) - 4, Some(&3)));
        trie.cut(0);
        assert_eq!((trie.len(), trie.get(0)), (0, None));
    }
}
