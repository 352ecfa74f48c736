;; Exports the two functions of `wasi:cli/exit`. Neither returns.
(component
  (import "wasi:cli/exit@0.2.3" (instance $exit
    (export "exit" (func (param "status" (result))))
    (export "exit-with-code" (func (param "status-code" u8)))))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $exit-with-code (canon lower (func $exit "exit-with-code")))
  (func (export "exit") (param "status" (result)) (canon lift (core func $exit)))
  (func (export "exit-with-code") (param "status-code" u8) (canon lift (core func $exit-with-code))))
