# check: what a change must pass · test: every test · bench: the tables of BENCHMARKS.md · features: each set alone
# testsuite: the public suite, where WASI_TESTSUITE names a checkout · real-programs: programs nobody here wrote

WASI_HOST ?= $(CURDIR)/target/release/wasi-host

.PHONY: check test features bench guests doc testsuite real-programs release

check:
	.ci/run

test:
	cargo test --workspace

# A build of the workspace unifies features and proves nothing about each set.
features:
	cargo check --locked -p wasi-host --no-default-features
	cargo check --locked -p wasi-host --no-default-features --features p1
	cargo check --locked -p wasi-host --no-default-features --features p0
	cargo check --locked -p wasi-host --no-default-features --features p1,async
	cargo check --locked -p wasi-host --no-default-features --features p0,p1,async
	cargo check --locked -p wasi-host --no-default-features --features p2
	cargo check --locked -p wasi-host --no-default-features --features p3
	cargo check --locked -p wasi-host-native --no-default-features
	cargo check --locked -p wasi-host-core

bench:
	cargo bench -p wasi-host-benches --bench p1
	cargo bench -p wasi-host-benches --bench p2
	cargo bench -p wasi-host-benches --bench p3

guests:
	guests/build

doc:
	cargo doc --workspace --no-deps

release:
	cargo build --release --bin wasi-host

# By the command and the suite's own adapter, then by a test of ours with the asynchronous linker. Loopback only.
testsuite: release
	WASI_HOST=$(WASI_HOST) tests/testsuite/run
	cargo test -p wasi-host --test testsuite --no-run
	unshare -rn cargo test --offline -p wasi-host --test testsuite

real-programs: release
	WASI_HOST=$(WASI_HOST) tests/real-programs/run
