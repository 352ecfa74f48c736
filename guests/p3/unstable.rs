//! What WASI 0.3.2 has that is not stable: `wasi:clocks/timezone`. The crate of bindings that the
//! other components use leaves it out, hence bindings of its own. Checks are named and run as
//! elsewhere.

mod bindings {
    wasip3::wit_bindgen::generate!({
        path: "../crates/bindings/wit/p3",
        generate_all,
        features: ["clocks-timezone"],
        runtime_path: "wasip3::wit_bindgen::rt",
    });
}

use bindings::wasi::cli::{environment::get_arguments, stderr, stdout};
use bindings::wasi::clocks::system_clock::{now, Instant};
use bindings::wasi::clocks::timezone::{iana_id, to_debug_string, utc_offset};
use bindings::wit_stream;
use wasip3::wit_bindgen::block_on;

const DAY: i64 = 86_400_000_000_000;

/// Moments before the epoch and after it, of which a time zone may know or not.
fn moments() -> impl Iterator<Item = Instant> {
    let year = 31_557_600;
    let seconds = (-100..100).map(move |n| n * year);
    let extremes = [now().seconds, i64::MIN, -1, 0, 1 << 40, i64::MAX];
    seconds.chain(extremes).map(|seconds| Instant { seconds, nanoseconds: 999_999_999 })
}

fn offsets() {
    for when in moments() {
        let offset = utc_offset(when);
        assert_eq!(utc_offset(when), offset, "at {when:?}");
        assert!(offset.is_none_or(|offset| offset.abs() < DAY), "{offset:?} at {when:?}");
        if iana_id().as_deref() == Some("UTC") {
            assert!(matches!(offset, None | Some(0)), "{offset:?} at {when:?}");
        }
    }
}

fn identifier() {
    let id = iana_id();
    assert_ne!(id.as_deref(), Some(""));
    assert_eq!(iana_id(), id);
}

fn debugging() {
    assert!(!to_debug_string().is_empty());
}

const CHECKS: [(&str, fn()); 3] =
    [("offsets", offsets), ("identifier", identifier), ("debugging", debugging)];

async fn say(text: String) {
    let (mut writer, reader) = wit_stream::new();
    let done = stdout::write_via_stream(reader);
    writer.write_all(text.into_bytes()).await;
    drop(writer);
    done.await.expect("stdout takes text");
}

async fn complain(text: String) {
    let (mut writer, reader) = wit_stream::new();
    let done = stderr::write_via_stream(reader);
    writer.write_all(text.into_bytes()).await;
    drop(writer);
    done.await.expect("stderr takes text");
}

struct Command;
bindings::export!(Command with_types_in bindings);

impl bindings::exports::wasi::cli::run::Guest for Command {
    async fn run() -> Result<(), ()> {
        std::panic::set_hook(Box::new(|info| block_on(complain(format!("{info}\n")))));
        let arguments = get_arguments();
        let only = arguments.get(1).map(String::as_str);
        for (name, check) in CHECKS {
            if only == Some("--list") {
                say(format!("{name}\n")).await;
            } else if only.is_none_or(|only| only == name) {
                check();
                if only.is_none() {
                    say(format!("ok {name}\n")).await;
                }
            }
        }
        Ok(())
    }
}
