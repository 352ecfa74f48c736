;; Exports what `wasi:cli/environment` tells it.
(component
  (import "wasi:cli/environment@0.2.3" (instance $environment
    (export "get-arguments" (func (result (list string))))
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "initial-cwd" (func (result (option string))))))

  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (global.set $next (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get $size)))))
  (core instance $libc (instantiate $libc))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $variables (canon lower (func $environment "get-environment")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $cwd (canon lower (func $environment "initial-cwd")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))

  ;; A result is lowered into memory in the very form from which it is lifted.
  (core module $main
    (import "host" "arguments" (func $arguments (param i32)))
    (import "host" "variables" (func $variables (param i32)))
    (import "host" "cwd" (func $cwd (param i32)))
    (func (export "arguments") (result i32) (call $arguments (i32.const 16)) (i32.const 16))
    (func (export "variables") (result i32) (call $variables (i32.const 16)) (i32.const 16))
    (func (export "cwd") (result i32) (call $cwd (i32.const 16)) (i32.const 16)))
  (core instance $main (instantiate $main
    (with "host" (instance
      (export "arguments" (func $arguments))
      (export "variables" (func $variables))
      (export "cwd" (func $cwd))))))

  (func (export "arguments") (result (list string))
    (canon lift (core func $main "arguments") (memory (core memory $libc "memory"))))
  (func (export "variables") (result (list (tuple string string)))
    (canon lift (core func $main "variables") (memory (core memory $libc "memory"))))
  (func (export "cwd") (result (option string))
    (canon lift (core func $main "cwd") (memory (core memory $libc "memory")))))
