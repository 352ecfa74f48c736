//! Resolving paths over a tree that a backend keeps itself, as Linux resolves them beneath a root.
//!
//! The backend says what its nodes are ([`Tree`]); the walk knows the rest: symbolic links, 40 of them at most,
//! `.` and `..`, slashes at the end, and that nothing leads above the node where it began. It remembers the
//! directories that it came through, and `..` goes back to the one before: there is no way up that it did not
//! come down, whatever is moved meanwhile.

use super::Follow;
use super::path::{self, Component, MAX_LINKS, NAME_MAX};
use crate::{Errno, Result};
use smallvec::SmallVec;
use std::borrow::Cow;

/// A tree of files, directories and symbolic links that a backend keeps.
pub trait Tree {
    /// A reference to a node, cheap to copy: an `Arc`, a `&`, a number.
    type Node: Clone;

    /// What the directory `dir` holds under `name`, which is never `.` or `..`. One that was removed holds nothing.
    ///
    /// # Errors
    ///
    /// Those of the backend: whatever it cannot read.
    fn child(&self, dir: &Self::Node, name: &str) -> Result<Option<Self::Node>>;

    /// What `node` is to a path that leads through it.
    fn shape<'a>(&'a self, node: &'a Self::Node) -> Shape<'a>;

    /// Whether `..` leads nowhere from the directory `dir`, as from the root: `NotCapable`.
    fn is_top(&self, _dir: &Self::Node) -> bool {
        false
    }
}

/// What a node is to a path that leads through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A directory: the path goes on in it.
    Dir,
    /// A symbolic link that holds this.
    Link(Cow<'a, str>),
    /// Anything else: the path ends here.
    Leaf,
}

/// The last component of a path, or of what a link at the end of it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last<'p> {
    /// `.`
    Here,
    /// `..`
    Parent,
    /// A name.
    Name(Cow<'p, str>),
}

/// Where a path led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'p, N> {
    /// The directory that holds the last component, or would.
    pub dir: N,
    /// The last component.
    pub last: Last<'p>,
    /// A slash stood at the end.
    pub must_be_dir: bool,
}

impl<N: Clone> Place<'_, N> {
    /// What is there; nothing for `.` and `..`, which only [`lookup`] resolves.
    ///
    /// # Errors
    ///
    /// `NameTooLong`, and those of [`Tree::child`].
    pub fn node<T: Tree<Node = N>>(&self, tree: &T) -> Result<Option<N>> {
        match &self.last {
            Last::Name(name) => child(tree, &self.dir, name),
            Last::Here | Last::Parent => Ok(None),
        }
    }
}

fn child<T: Tree>(tree: &T, dir: &T::Node, name: &str) -> Result<Option<T::Node>> {
    if name.len() > NAME_MAX { Err(Errno::NameTooLong) } else { tree.child(dir, name) }
}

/// Finds the place of a name that shall be made, removed or moved, without looking at what is there.
///
/// # Errors
///
/// `NoEnt`, `NotDir`, `Loop`, `NameTooLong`, and `NotCapable` for what leads above `root`.
pub fn place<'p, T: Tree>(tree: &T, root: &T::Node, path: &'p str) -> Result<Place<'p, T::Node>> {
    let mut walk = Walk::new(tree, root, path)?;
    let (last, must_be_dir) = walk.reach_last()?;
    if last == Last::Parent {
        walk.may_go_up()?;
    }
    Ok(Place { dir: walk.dir().clone(), last, must_be_dir })
}

/// Where a path led, and what is there.
pub type Found<'p, N> = (Place<'p, N>, Option<N>);

/// Finds what a path stands for. With a slash at the end a link is followed in any case, and what is there is a
/// directory.
///
/// # Errors
///
/// As for [`place`]. That there is nothing is no error here: the caller says `NoEnt`.
///
/// # Example
///
/// ```
/// use std::{borrow::Cow, collections::HashMap};
/// use wasi_host_core::{Errno, Result, fs::{Follow, walk}};
///
/// /// Nodes are whole paths, and links are what `Some` says.
/// struct Paths(HashMap<&'static str, Option<&'static str>>);
///
/// impl walk::Tree for Paths {
///     type Node = String;
///     fn child(&self, dir: &String, name: &str) -> Result<Option<String>> {
///         let path = format!("{dir}/{name}");
///         Ok(self.0.contains_key(&*path).then_some(path))
///     }
///     fn shape<'a>(&'a self, node: &'a String) -> walk::Shape<'a> {
///         match self.0.get(&**node) {
///             Some(Some(target)) => walk::Shape::Link(Cow::Borrowed(target)),
///             _ if node.ends_with(".txt") => walk::Shape::Leaf,
///             _ => walk::Shape::Dir,
///         }
///     }
/// }
///
/// let tree = Paths([("/a", None), ("/a/b.txt", None), ("/a/up", Some("../a/b.txt"))].into());
/// let root = String::new();
/// assert_eq!(walk::lookup(&tree, &root, "a/up", Follow::Yes)?.1.as_deref(), Some("/a/b.txt"));
/// assert_eq!(walk::lookup(&tree, &root, "a/up", Follow::No)?.1.as_deref(), Some("/a/up"));
/// assert_eq!(walk::lookup(&tree, &root, "a/../..", Follow::Yes).unwrap_err(), Errno::NotCapable);
/// # Ok::<(), Errno>(())
/// ```
pub fn lookup<'p, T: Tree>(
    tree: &T,
    root: &T::Node,
    path: &'p str,
    follow: Follow,
) -> Result<Found<'p, T::Node>> {
    find(tree, root, path, follow, false)
}

/// [`lookup`] for who would make a file if there is nothing.
///
/// # Errors
///
/// As for [`place`], and `IsDir` if a slash stands at the end.
pub fn lookup_to_create<'p, T: Tree>(
    tree: &T,
    root: &T::Node,
    path: &'p str,
    follow: Follow,
) -> Result<Found<'p, T::Node>> {
    find(tree, root, path, follow, true)
}

fn find<'p, T: Tree>(
    tree: &T,
    root: &T::Node,
    path: &'p str,
    follow: Follow,
    create: bool,
) -> Result<Found<'p, T::Node>> {
    let mut walk = Walk::new(tree, root, path)?;
    loop {
        let (last, must_be_dir) = walk.reach_last()?;
        let name = match &last {
            Last::Name(name) => name,
            dots => {
                if *dots == Last::Parent {
                    walk.up()?;
                }
                let dir = walk.dir().clone();
                return Ok((Place { dir: dir.clone(), last, must_be_dir }, Some(dir)));
            }
        };
        if create && must_be_dir {
            return Err(Errno::IsDir);
        }
        let node = walk.child(name)?;
        if let Some(node) = &node {
            match tree.shape(node) {
                Shape::Link(target) if follow == Follow::Yes || must_be_dir => {
                    walk.follow(&target)?;
                    continue;
                }
                Shape::Dir => {}
                _ if must_be_dir => return Err(Errno::NotDir),
                _ => {}
            }
        }
        return Ok((Place { dir: walk.dir().clone(), last, must_be_dir }, node));
    }
}

/// A walk under way.
struct Walk<'t, 'p, T: Tree> {
    tree: &'t T,
    root: &'t T::Node,
    /// The directories below the root that it is in, the innermost last.
    inside: SmallVec<[T::Node; 8]>,
    /// What is still to be walked is what lies behind `done`.
    path: Cow<'p, str>,
    done: usize,
    links: usize,
}

impl<'t, 'p, T: Tree> Walk<'t, 'p, T> {
    fn new(tree: &'t T, root: &'t T::Node, path: &'p str) -> Result<Self> {
        path::check(path, usize::MAX)?;
        Ok(Self { tree, root, inside: SmallVec::new(), path: Cow::Borrowed(path), done: 0, links: 0 })
    }

    fn dir(&self) -> &T::Node {
        self.inside.last().unwrap_or(self.root)
    }

    fn may_go_up(&self) -> Result<()> {
        let at_top = self.inside.last().is_none_or(|dir| self.tree.is_top(dir));
        if at_top { Err(Errno::NotCapable) } else { Ok(()) }
    }

    fn up(&mut self) -> Result<()> {
        self.may_go_up()?;
        self.inside.pop();
        Ok(())
    }

    fn child(&self, name: &str) -> Result<Option<T::Node>> {
        child(self.tree, self.dir(), name)
    }

    /// Walks up to the last component, and takes it: it is there in any path and in any link.
    fn reach_last(&mut self) -> Result<(Last<'p>, bool)> {
        loop {
            let (component, rest) = path::first(&self.path[self.done..]).ok_or(Errno::NoEnt)?;
            let end = self.path.len() - rest.len();
            if rest.bytes().all(|b| b == b'/') {
                let must_be_dir = !rest.is_empty();
                let last = match component {
                    Component::Here => Last::Here,
                    Component::Parent => Last::Parent,
                    Component::Name(name) => Last::Name(self.cut(end - name.len(), end)),
                };
                self.done = end;
                return Ok((last, must_be_dir));
            }
            match component {
                Component::Here => self.done = end,
                Component::Parent => {
                    self.up()?;
                    self.done = end;
                }
                Component::Name(name) => {
                    let node = self.child(name)?.ok_or(Errno::NoEnt)?;
                    self.done = end;
                    match self.tree.shape(&node) {
                        Shape::Dir => {}
                        Shape::Link(target) => {
                            self.follow(&target)?;
                            continue;
                        }
                        Shape::Leaf => return Err(Errno::NotDir),
                    }
                    self.inside.push(node);
                }
            }
        }
    }

    /// A part of the path, copied only if it came out of a link.
    fn cut(&self, from: usize, to: usize) -> Cow<'p, str> {
        match &self.path {
            Cow::Borrowed(path) => Cow::Borrowed(&path[from..to]),
            Cow::Owned(path) => Cow::Owned(path[from..to].to_owned()),
        }
    }

    /// Goes on with what a link holds, and then with the rest.
    fn follow(&mut self, target: &str) -> Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::Loop);
        }
        path::check(target, usize::MAX)?;
        self.path = Cow::Owned([target, &self.path[self.done..]].concat());
        self.done = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    /// Directories that move while they are walked: `moves` are made at the lookup of a name.
    #[derive(Default)]
    struct Moving {
        names: RefCell<BTreeMap<(u32, String), u32>>,
        moves: BTreeMap<&'static str, (u32, &'static str, u32, &'static str)>,
    }

    impl Tree for Moving {
        type Node = u32;
        fn child(&self, dir: &u32, name: &str) -> Result<Option<u32>> {
            let found = self.names.borrow().get(&(*dir, name.to_owned())).copied();
            if let Some((from, old, to, new)) = self.moves.get(name) {
                let moved = self.names.borrow_mut().remove(&(*from, (*old).to_owned()));
                moved.map(|node| self.names.borrow_mut().insert((*to, (*new).to_owned()), node));
            }
            Ok(found)
        }
        fn shape<'a>(&'a self, _: &'a u32) -> Shape<'a> {
            Shape::Dir
        }
        fn is_top(&self, dir: &u32) -> bool {
            *dir == 8
        }
    }

    /// 0 holds "root" (1) and "bait" (9); below 1 are a (2), a/b (3), a/b/c (4).
    fn tree() -> Moving {
        let names = [(0, "root", 1), (0, "bait", 9), (1, "a", 2), (2, "b", 3), (3, "c", 4), (1, "bait", 8)];
        Moving {
            names: RefCell::new(names.map(|(dir, name, node)| ((dir, name.to_owned()), node)).into()),
            ..Moving::default()
        }
    }

    #[test]
    fn no_way_out_of_what_is_moved_out_meanwhile() {
        // At the lookup of "c" its parent is moved out of the root, beside the bait.
        let tree = Moving { moves: [("c", (2, "b", 0, "b"))].into(), ..tree() };
        let found = lookup(&tree, &1, "a/b/c/../../../bait", Follow::Yes).unwrap().1;
        assert_eq!(found, Some(8), "back the way it came, to what is inside");
        let tree = Moving { moves: [("c", (2, "b", 0, "b"))].into(), ..self::tree() };
        assert_eq!(lookup(&tree, &1, "a/b/c/../../../../bait", Follow::Yes), Err(Errno::NotCapable));
        assert_eq!(tree.names.borrow().get(&(0, "b".to_owned())), Some(&3), "it was moved");
    }

    #[test]
    fn dots_at_the_end_are_named_or_resolved() {
        let tree = tree();
        for (path, last, resolved) in [
            ("a/b/.", Last::Here, Ok(3)),
            ("a/b/..", Last::Parent, Ok(2)),
            (".", Last::Here, Ok(1)),
            ("..", Last::Parent, Err(Errno::NotCapable)),
            ("a/../../", Last::Parent, Err(Errno::NotCapable)),
        ] {
            let named = place(&tree, &1, path).map(|place| (place.node(&tree), place.last));
            assert_eq!(named, resolved.map(|_| (Ok(None), last)), "{path}");
            let found = lookup(&tree, &1, path, Follow::Yes).map(|(_, node)| node);
            assert_eq!(found, resolved.map(Some), "{path}");
        }
    }

    #[test]
    fn tops_on_the_way_hold_as_the_root_does() {
        let tree = tree();
        for path in ["bait/..", "bait/../a", "bait/../../bait", "bait/./.."] {
            assert_eq!(lookup(&tree, &1, path, Follow::Yes), Err(Errno::NotCapable), "{path}");
            assert_eq!(place(&tree, &1, path).err(), Some(Errno::NotCapable), "{path}");
        }
        assert_eq!(lookup(&tree, &1, "a/../bait/.", Follow::Yes).unwrap().1, Some(8));
    }

    #[test]
    fn slashes_at_the_end_are_told() {
        let tree = tree();
        for (path, slash) in [("a", false), ("a/", true), ("a///", true), ("new/", true), ("a/./", true)] {
            assert_eq!(place(&tree, &1, path).unwrap().must_be_dir, slash, "{path}");
            assert_eq!(lookup(&tree, &1, path, Follow::No).unwrap().0.must_be_dir, slash, "{path}");
        }
        assert_eq!(lookup_to_create(&tree, &1, "new/", Follow::No), Err(Errno::IsDir));
        assert_eq!(lookup_to_create(&tree, &1, "new", Follow::No).unwrap().1, None);
    }
}
