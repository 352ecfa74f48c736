;; Exports what the clocks say, and a sleep.
(component
  (import "wasi:io/poll@0.2.1" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.1" (instance $monotonic
    (alias outer 1 $pollable (type $pollable-outer))
    (export "pollable" (type $pollable (eq $pollable-outer)))
    (export "now" (func (result u64)))
    (export "resolution" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (import "wasi:clocks/wall-clock@0.2.1" (instance $wall
    (type $datetime-def (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $datetime-def)))
    (export "now" (func (result $datetime)))
    (export "resolution" (func (result $datetime)))))

  (core module $libc (memory (export "memory") 1))
  (core instance $libc (instantiate $libc))
  (core func $now (canon lower (func $monotonic "now")))
  (core func $resolution (canon lower (func $monotonic "resolution")))
  (core func $subscribe (canon lower (func $monotonic "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $drop (canon resource.drop $pollable))
  (core func $wall-now (canon lower (func $wall "now") (memory (core memory $libc "memory"))))
  (core func $wall-resolution (canon lower (func $wall "resolution") (memory (core memory $libc "memory"))))

  (core module $main
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "drop" (func $drop (param i32)))
    (import "host" "wall-now" (func $wall-now (param i32)))
    (import "host" "wall-resolution" (func $wall-resolution (param i32)))
    (func (export "sleep") (param $for i64)
      (local $pollable i32)
      (local.set $pollable (call $subscribe (local.get $for)))
      (call $block (local.get $pollable))
      (call $drop (local.get $pollable)))
    (func (export "wall-now") (result i32) (call $wall-now (i32.const 16)) (i32.const 16))
    (func (export "wall-resolution") (result i32) (call $wall-resolution (i32.const 16)) (i32.const 16)))
  (core instance $main (instantiate $main
    (with "host" (instance
      (export "subscribe" (func $subscribe))
      (export "block" (func $block))
      (export "drop" (func $drop))
      (export "wall-now" (func $wall-now))
      (export "wall-resolution" (func $wall-resolution))))))

  (func (export "now") (result u64) (canon lift (core func $now)))
  (func (export "resolution") (result u64) (canon lift (core func $resolution)))
  (func (export "sleep") (param "for" u64) (canon lift (core func $main "sleep")))
  (func (export "wall-now") (result (tuple u64 u32))
    (canon lift (core func $main "wall-now") (memory (core memory $libc "memory"))))
  (func (export "wall-resolution") (result (tuple u64 u32))
    (canon lift (core func $main "wall-resolution") (memory (core memory $libc "memory")))))
