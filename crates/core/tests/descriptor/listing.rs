//! What a listing gives away.

use crate::*;

fn parent(dir: &Descriptor) -> u64 {
    dir.entries().unwrap().map(Result::unwrap).find(|entry| entry.name == "..").unwrap().ino
}

fn own(dir: &Descriptor) -> u64 {
    dir.metadata().unwrap().ino
}

/// At the top of a grant `..` is the directory itself, however one comes to it.
#[test]
fn above_the_top_is_nothing() {
    let fs = fixture();
    fs.create_dir_all("dir/sub").unwrap();
    let inside = fs.root().open("dir", READ).unwrap();
    let wasi_host_core::fs::Node::Dir(inside) = inside else { panic!("a file") };
    let outside = own(&full(&fs));
    let top = Descriptor::preopen(inside, Arc::new(Grant::full()));
    assert_ne!(own(&top), outside);
    assert_eq!(parent(&top), own(&top));
    for path in [".", "sub/..", "./sub/../."] {
        assert_eq!(parent(&top.open(path, READ).unwrap()), own(&top), "{path}");
    }
    let sub = top.open("sub", READ).unwrap();
    assert_eq!(parent(&sub), own(&top));
    assert_eq!(parent(&sub.open(".", READ).unwrap()), own(&top));
    assert_eq!(sub.open("..", READ).map(drop), Err(Errno::NotCapable));
}

#[test]
fn the_dots_are_there_once() {
    let fs = fixture();
    let mut listed: Vec<_> = full(&fs).entries().unwrap().map(|entry| entry.unwrap().name).collect();
    listed.sort();
    assert_eq!(listed, [".", "..", "dir", "file", "link"]);
}

#[test]
fn the_same_object_by_any_name() {
    let fs = fixture();
    let top = full(&fs);
    top.hard_link("file", Follow::No, &top, "other").unwrap();
    let [file, link, other] = ["file", "link", "other"].map(|path| top.open(path, READ).unwrap());
    let dir = top.open("dir", READ).unwrap();
    assert_eq!(file.is_same_object(&link), Ok(true));
    assert_eq!(file.is_same_object(&other), Ok(true));
    assert_eq!(file.is_same_object(&dir), Ok(false));
    assert_eq!(top.is_same_object(&dir.open(".", READ).unwrap()), Ok(false));
    let elsewhere = full(&fixture()).open("file", READ).unwrap();
    assert_eq!(file.is_same_object(&elsewhere), Ok(false));
}
