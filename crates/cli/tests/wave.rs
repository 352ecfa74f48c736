//! `--invoke` of components: values out of text and into text.

mod support;

use support::{Ended, Place};

/// Functions that give back what they are given, and some that do a little.
const PROGRAM: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (global $free (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
            (global.set $free (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "one") (param i32) (result i32) (local.get 0))
        (func (export "float") (param f64) (result f64) (local.get 0))
        (func (export "two") (param i32 i32) (result i32)
            (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))
        (func (export "small") (param i32 i32) (result i32)
            (i32.store8 (i32.const 0) (local.get 0)) (i32.store8 (i32.const 1) (local.get 1)) (i32.const 0))
        (func (export "point") (param i32 f32) (result i32)
            (i32.store8 (i32.const 0) (local.get 0)) (f32.store (i32.const 4) (local.get 1)) (i32.const 0))
        (func (export "nothing"))
        (func (export "trap") (result i32) (unreachable)))
    (core instance $i (instantiate $m))
    (type $record (record (field "x" s8) (field "y" f32)))
    (export $point "point" (type $record))
    (type $enum (enum "red" "green"))
    (export $color "color" (type $enum))
    (type $flag (flags "read" "write"))
    (export $access "access" (type $flag))
    (type $variant (variant (case "any") (case "of" u8)))
    (export $choice "choice" (type $variant))
    (func $add (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
    (func (export "flip") (param "b" bool) (result bool) (canon lift (core func $i "one")))
    (func (export "letter") (param "c" char) (result char) (canon lift (core func $i "one")))
    (func (export "float") (param "f" f64) (result f64) (canon lift (core func $i "float")))
    (func (export "text") (param "s" string) (result string)
        (canon lift (core func $i "two") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (func (export "list") (param "l" (list (tuple u8 string))) (result (list (tuple u8 string)))
        (canon lift (core func $i "two") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (func (export "move") (param "p" $point) (result $point)
        (canon lift (core func $i "point") (memory (core memory $i "memory"))))
    (func (export "paint") (param "c" $color) (result $color) (canon lift (core func $i "one")))
    (func (export "permit") (param "a" $access) (result $access) (canon lift (core func $i "one")))
    (func (export "choose") (param "c" $choice) (result $choice)
        (canon lift (core func $i "small") (memory (core memory $i "memory"))))
    (func (export "maybe") (param "o" (option u8)) (result (option u8))
        (canon lift (core func $i "small") (memory (core memory $i "memory"))))
    (func (export "checked") (param "r" (result u8 (error u8))) (result (result u8 (error u8)))
        (canon lift (core func $i "small") (memory (core memory $i "memory"))))
    (func $nothing (export "nothing") (canon lift (core func $i "nothing")))
    (func (export "trap") (result u32) (canon lift (core func $i "trap")))
    (instance (export "my:own/shapes@1.2.3") (export "sum" (func $add)) (export "close" (func $nothing)))
    (instance (export "my:own/doors@1.2.3") (export "close" (func $nothing)) (export "nothing" (func $add))))"#;

fn place() -> Place {
    let place = Place::new();
    place.file("program.wat", PROGRAM);
    place
}

fn call(place: &Place, call: &str) -> Ended {
    place.run(&["--invoke", call, "program.wat"])
}

#[test]
fn values_of_every_kind() {
    let place = place();
    for (text, result) in [
        ("add(2, 3)", "5"),
        ("add(4294967295, 1)", "0"),
        (" add ( 2 , 3 ) ", "5"),
        ("flip(true)", "true"),
        ("letter('é')", "'é'"),
        ("float(-1.5e3)", "-1500"),
        ("float(inf)", "inf"),
        ("text(\"a \\\"text\\\" (of é)\")", "\"a \\\"text\\\" (of é)\""),
        ("text(\"\")", "\"\""),
        ("list([(1, \"a\"), (2, \"b\")])", "[(1, \"a\"), (2, \"b\")]"),
        ("list([])", "[]"),
        ("move({y: 1.5, x: -128})", "{x: -128, y: 1.5}"),
        ("paint(green)", "green"),
        ("permit({write, read})", "{read, write}"),
        ("permit({})", "{}"),
        ("choose(any)", "any"),
        ("choose(of(7))", "of(7)"),
        ("maybe(some(7))", "some(7)"),
        ("maybe(none)", "none"),
        ("maybe()", "none"),
        ("checked(ok(1))", "ok(1)"),
        ("checked(err(2))", "err(2)"),
    ] {
        assert_eq!(call(&place, text).status(0).out, format!("{result}\n"), "{text}");
    }
    for text in ["nothing()", "nothing"] {
        assert_eq!(call(&place, text).status(0).out, "");
    }
}

#[test]
fn arguments_that_do_not_fit() {
    let place = place();
    for (text, words) in [
        ("add(1)", &["`add(1)` does not fit `add(", "missing"][..]),
        ("add(1, 2, 3)", &["`add(", "more param(s) than expected", "`3`"]),
        ("add(-1, 2)", &["`-1`"]),
        ("add(4294967296, 2)", &["`4294967296`"]),
        ("add(\"1\", 2)", &["`\"1\"`"]),
        ("add(1, 2", &["unexpected end"]),
        ("add(1, 2) 3", &["trailing characters", "`3`"]),
        ("add", &["takes arguments", "--invoke 'add(…)'"]),
        ("flip(yes)", &["`yes`"]),
        ("move({x: 1})", &["missing"]),
        ("paint(blue)", &["`blue`"]),
    ] {
        call(&place, text).refused(words);
    }
}

#[test]
fn functions_of_interfaces() {
    let place = place();
    for name in [
        "my:own/shapes@1.2.3#sum",
        "my:own/shapes@1.2.3.sum",
        "my:own/shapes#sum",
        "shapes#sum",
        "shapes.sum",
        "sum",
    ] {
        assert_eq!(call(&place, &format!("{name}(1, 2)")).status(0).out, "3\n", "{name}");
    }
    call(&place, "close()").refused(&[
        "`my:own/shapes@1.2.3#close`",
        "or `my:own/doors@1.2.3#close`",
        "whole name",
    ]);
    call(&place, "doors.close()").status(0);
    // What the component itself exports goes before what an interface of it does.
    call(&place, "nothing()").status(0);
    assert_eq!(call(&place, "doors.nothing(1, 1)").status(0).out, "2\n");
    for name in [
        "shapes.close2",
        "hapes.close",
        "shapesclose",
        "1.2.3#close",
        "shapes",
        "my:own/shapes@9.9.9#sum",
        "",
    ] {
        call(&place, &format!("{name}()")).refused(&[
            "there is no function",
            "it exports `add(",
            "`my:own/doors@1.2.3#close()`",
        ]);
    }
}

#[test]
fn what_traps_is_told() {
    call(&place(), "trap()").trapped(&["program.wat: wasm trap"]);
}

#[test]
fn handles_have_no_text() {
    let place = Place::new();
    place.file(
        "program.wat",
        r#"(component
            (type $r' (resource (rep i32)))
            (export $r "thing" (type $r'))
            (core func $new (canon resource.new $r'))
            (core module $m
                (import "m" "new" (func $new (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 1)))
                (func (export "take") (param i32)))
            (core instance $i (instantiate $m (with "m" (instance (export "new" (func $new))))))
            (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
            (func (export "take") (param "it" (own $r)) (canon lift (core func $i "take"))))"#,
    );
    assert_eq!(call(&place, "make()").status(0).out, "<a value that cannot be written down>\n");
    call(&place, "take(1)").refused(&["`take(", "parameter `it`", "cannot be written down"]);
}

#[test]
fn functions_of_modules_are_called_otherwise() {
    let place = Place::new();
    place.file("program.wat", "(module (func (export \"f\") (param i32)))");
    call(&place, "f(1)").refused(&["there is no function `f(1)`", "behind FILE"]);
}
