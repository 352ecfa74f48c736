;; Exports the three interfaces of `wasi:random`.
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure@0.2.0" (instance $insecure
    (export "get-insecure-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@0.2.0" (instance $seed
    (export "insecure-seed" (func (result (tuple u64 u64))))))

  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (core func $bytes (canon lower (func $random "get-random-bytes")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $u64 (canon lower (func $random "get-random-u64")))
  (core func $insecure-bytes (canon lower (func $insecure "get-insecure-random-bytes")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $insecure-u64 (canon lower (func $insecure "get-insecure-random-u64")))
  (core func $insecure-seed (canon lower (func $seed "insecure-seed") (memory (core memory $libc "memory"))))

  (core module $main
    (import "host" "bytes" (func $bytes (param i64 i32)))
    (import "host" "insecure-bytes" (func $insecure-bytes (param i64 i32)))
    (import "host" "seed" (func $seed (param i32)))
    (func (export "bytes") (param i64) (result i32) (call $bytes (local.get 0) (i32.const 16)) (i32.const 16))
    (func (export "insecure-bytes") (param i64) (result i32)
      (call $insecure-bytes (local.get 0) (i32.const 16)) (i32.const 16))
    (func (export "seed") (result i32) (call $seed (i32.const 16)) (i32.const 16)))
  (core instance $main (instantiate $main
    (with "host" (instance
      (export "bytes" (func $bytes))
      (export "insecure-bytes" (func $insecure-bytes))
      (export "seed" (func $insecure-seed))))))

  (func (export "bytes") (param "len" u64) (result (list u8))
    (canon lift (core func $main "bytes") (memory (core memory $libc "memory"))))
  (func (export "number") (result u64) (canon lift (core func $u64)))
  (func (export "insecure-bytes") (param "len" u64) (result (list u8))
    (canon lift (core func $main "insecure-bytes") (memory (core memory $libc "memory"))))
  (func (export "insecure-number") (result u64) (canon lift (core func $insecure-u64)))
  (func (export "seed") (result (tuple u64 u64))
    (canon lift (core func $main "seed") (memory (core memory $libc "memory")))))
