//! The WIT of this crate says what the standard's says: every interface, type and function of it, structurally.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wit_parser::{
    Function, FunctionKind, Handle, Interface, Resolve, Stability, Type, TypeDefKind, TypeId, WorldItem,
};

/// Where cargo has unpacked the crate that carries the standard's text: beside all others, as this package's own
/// dependencies are.
fn standard(package: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo =
        cargo.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))).expect("a home");
    let registries = cargo.join("registry/src").read_dir().expect("cargo has fetched the dependencies");
    let found = registries.map(|r| r.unwrap().path().join(package).join("wit")).find(|wit| wit.is_dir());
    found.unwrap_or_else(|| panic!("{package} is not below {}", cargo.display()))
}

fn parse(dir: &Path) -> Resolve {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    resolve.push_dir(dir).unwrap();
    resolve
}

struct Text<'a>(&'a Resolve);

impl Text<'_> {
    /// Each item of an interface with all that is declared of it.
    fn interface(&self, interface: &Interface) -> BTreeMap<String, String> {
        let mut items = BTreeMap::from([("since".to_owned(), stability(&interface.stability))]);
        for (name, id) in &interface.types {
            let ty = &self.0.types[*id];
            items.insert(
                format!("type {name}"),
                format!("{} {}", stability(&ty.stability), self.kind(&ty.kind)),
            );
        }
        for (name, f) in &interface.functions {
            items.insert(format!("func {name}"), format!("{} {}", stability(&f.stability), self.function(f)));
        }
        items
    }

    fn function(&self, f: &Function) -> String {
        let kind = match f.kind {
            FunctionKind::Freestanding => "func".to_owned(),
            FunctionKind::AsyncFreestanding => "async func".to_owned(),
            FunctionKind::Method(of) => format!("method of {}", self.named(of)),
            FunctionKind::AsyncMethod(of) => format!("async method of {}", self.named(of)),
            FunctionKind::Static(of) => format!("static of {}", self.named(of)),
            FunctionKind::AsyncStatic(of) => format!("async static of {}", self.named(of)),
            FunctionKind::Constructor(of) => format!("constructor of {}", self.named(of)),
        };
        let params: Vec<_> = f.params.iter().map(|p| format!("{}: {}", p.name, self.ty(&p.ty))).collect();
        format!("{kind}({}) -> {}", params.join(", "), self.optional(&f.result))
    }

    /// By name where it has one: that is declared on its own.
    fn named(&self, id: TypeId) -> String {
        let ty = &self.0.types[id];
        ty.name.clone().unwrap_or_else(|| self.kind(&ty.kind))
    }

    fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => self.named(*id),
            plain => format!("{plain:?}").to_lowercase(),
        }
    }

    fn optional(&self, ty: &Option<Type>) -> String {
        ty.as_ref().map_or_else(|| "_".to_owned(), |ty| self.ty(ty))
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        match kind {
            TypeDefKind::Record(r) => {
                let fields: Vec<_> =
                    r.fields.iter().map(|f| format!("{}: {}", f.name, self.ty(&f.ty))).collect();
                format!("record {{{}}}", fields.join(", "))
            }
            TypeDefKind::Variant(v) => {
                let cases: Vec<_> =
                    v.cases.iter().map(|c| format!("{}({})", c.name, self.optional(&c.ty))).collect();
                format!("variant {{{}}}", cases.join(", "))
            }
            TypeDefKind::Enum(e) => format!("enum {:?}", e.cases.iter().map(|c| &c.name).collect::<Vec<_>>()),
            TypeDefKind::Flags(f) => {
                format!("flags {:?}", f.flags.iter().map(|f| &f.name).collect::<Vec<_>>())
            }
            TypeDefKind::Resource => "resource".to_owned(),
            TypeDefKind::Handle(Handle::Own(of)) => format!("own<{}>", self.named(*of)),
            TypeDefKind::Handle(Handle::Borrow(of)) => format!("borrow<{}>", self.named(*of)),
            TypeDefKind::Tuple(t) => {
                format!("tuple<{}>", t.types.iter().map(|t| self.ty(t)).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Option(t) => format!("option<{}>", self.ty(t)),
            TypeDefKind::Result(r) => format!("result<{}, {}>", self.optional(&r.ok), self.optional(&r.err)),
            TypeDefKind::List(t) => format!("list<{}>", self.ty(t)),
            TypeDefKind::Future(t) => format!("future<{}>", self.optional(t)),
            TypeDefKind::Stream(t) => format!("stream<{}>", self.optional(t)),
            // Where it comes from, if from another interface.
            TypeDefKind::Type(Type::Id(id)) => {
                let from = match self.0.types[*id].owner {
                    wit_parser::TypeOwner::Interface(i) => self.0.id_of(i).unwrap_or_default(),
                    _ => String::new(),
                };
                format!("= {from}.{}", self.named(*id))
            }
            TypeDefKind::Type(t) => format!("= {}", self.ty(t)),
            other => panic!("WASI has no {}", other.as_str()),
        }
    }

    /// What a world imports and exports.
    fn world(&self, name: &str) -> BTreeMap<String, String> {
        let world = self.0.worlds.iter().find(|(_, w)| w.name == name).expect("it is there").1;
        let items =
            world.imports.iter().map(|i| ("import", i)).chain(world.exports.iter().map(|e| ("export", e)));
        items
            .map(|(direction, (key, item))| {
                let WorldItem::Interface { stability: s, .. } = item else { panic!("{item:?}") };
                (format!("{direction} {}", self.0.name_world_key(key)), stability(s))
            })
            .collect()
    }
}

fn stability(s: &Stability) -> String {
    match s {
        Stability::Unknown => String::new(),
        Stability::Stable { since, .. } => format!("@since {since}"),
        Stability::Unstable { feature, .. } => format!("@unstable {feature}"),
    }
}

fn interfaces(resolve: &Resolve) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = Text(resolve);
    let all = resolve.interfaces.iter().filter_map(|(id, i)| Some((resolve.id_of(id)?, text.interface(i))));
    all.filter(|(name, _)| name.starts_with("wasi:") && !name.starts_with("wasi:http/")).collect()
}

/// One by one, so that a difference is seen where it is.
fn compare(ours: &Resolve, theirs: &Resolve, how_many: usize) {
    let (ours, theirs) = (interfaces(ours), interfaces(theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    let functions = theirs.values().flat_map(BTreeMap::keys).filter(|item| item.starts_with("func ")).count();
    assert_eq!(functions, how_many, "functions in the standard");
    for (name, items) in &theirs {
        assert_eq!(ours[name].keys().collect::<Vec<_>>(), items.keys().collect::<Vec<_>>(), "{name}");
        for (item, declared) in items {
            assert_eq!(&ours[name][item], declared, "{name} {item}");
        }
    }
}

/// Our text for one version against the standard's.
fn is_the_standards(ours: &str, package: &str, functions: usize) {
    let ours = parse(&Path::new(env!("CARGO_MANIFEST_DIR")).join(ours));
    let theirs = parse(&standard(package));
    compare(&ours, &theirs, functions);
    let command = |resolve| Text(resolve).world("command").into_keys().collect::<Vec<_>>();
    // Ours includes the standard's, so what it gives is the same but for when that came.
    assert_eq!(command(&ours), command(&theirs));
}

#[test]
fn wasi_0_2() {
    is_the_standards("wit/p2", "wasip2-2.0.1+wasi-0.2.12", 127);
}

#[test]
fn wasi_0_3() {
    is_the_standards("wit/p3", "wasip3-0.10.0+wasi-0.3.2", 93);
}
