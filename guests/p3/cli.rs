//! `wasi:cli`. Beside the checks there are actions, whose effects only the caller can see:
//!
//! `arguments`, `environment`, `cwd`, `terminals` print what the host gave; `echo` copies stdin to
//! stdout, `forward` has the host do it, `reread` does after a stream was dropped and a read was
//! given up, `restless` gives up each read that takes a millisecond; `complain TEXT` writes to
//! stderr; `twice TEXT` writes to stdout by two streams at a time; `hasty TEXT` does not wait until
//! the text is there, `hasty-exit TEXT` neither; `flood` writes to stdout until that takes no more,
//! and tells stderr why; `return-error` returns an error; `exit ok`, `exit error` and
//! `exit-with-code N` do not return, whatever comes behind them.

#[macro_use]
mod check;
mod io;

use check::{complain, say, Check, Checking};
use io::{all, both, drain, read, try_read, MILLISECOND};
use wasip3::cli::environment::{get_arguments, get_environment, get_initial_cwd};
use wasip3::cli::exit::{exit, exit_with_code};
use wasip3::cli::terminal_stderr::get_terminal_stderr;
use wasip3::cli::terminal_stdin::get_terminal_stdin;
use wasip3::cli::terminal_stdout::get_terminal_stdout;
use wasip3::cli::{stderr, stdin, stdout};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_stream;

/// The same on each call.
async fn environment() -> Check {
    let variables = get_environment();
    holds!(variables.iter().all(|(name, _)| !name.is_empty() && !name.contains('=')));
    equal!(get_environment(), variables);
    Ok(())
}

async fn arguments() -> Check {
    let arguments = get_arguments();
    holds!(!arguments.is_empty());
    equal!(get_arguments(), arguments);
    Ok(())
}

async fn working_directory() -> Check {
    let cwd = get_initial_cwd();
    holds!(cwd.as_deref() != Some(""));
    equal!(get_initial_cwd(), cwd);
    Ok(())
}

/// A stream that ends ends well, also where nothing was in it.
async fn empty_output() -> Check {
    for write in [stdout::write_via_stream, stderr::write_via_stream] {
        drain(vec![], write).await?;
        let (mut writer, reader) = wit_stream::new();
        let done = write(reader);
        equal!(writer.write(vec![]).await.0, StreamResult::Complete(0));
        drop(writer);
        done.await?;
        // Nobody has to ask how it ended.
        let (writer, reader) = wit_stream::new();
        drop((write(reader), writer));
    }
    Ok(())
}

async fn several_outputs() -> Check {
    let mut open = Vec::new();
    for write in [stdout::write_via_stream, stderr::write_via_stream].repeat(20) {
        let (writer, reader) = wit_stream::new::<u8>();
        open.push((writer, write(reader)));
    }
    for (writer, done) in open.into_iter().rev() {
        drop(writer);
        done.await?;
    }
    Ok(())
}

/// A reader that goes ends well, with or without a read before.
async fn dropped_input() -> Check {
    let (stream, done) = stdin::read_via_stream();
    drop(stream);
    done.await?;
    let (mut stream, done) = stdin::read_via_stream();
    equal!(read(&mut stream, 0).await.1.len(), 0);
    drop(stream);
    done.await?;
    drop(stdin::read_via_stream());
    Ok(())
}

/// Standard input comes to its end, and each stream after that ends at once.
async fn end_of_input() -> Check {
    drop(all(stdin::read_via_stream()).await?);
    for room in [1, 1000] {
        let (mut stream, done) = stdin::read_via_stream();
        let (result, bytes) = read(&mut stream, room).await;
        equal!((result, bytes), (StreamResult::Dropped, vec![]));
        done.await?;
    }
    Ok(())
}

async fn terminals() -> Check {
    equal!(get_terminal_stdin().is_some(), get_terminal_stdin().is_some());
    equal!(get_terminal_stdout().is_some(), get_terminal_stdout().is_some());
    equal!(get_terminal_stderr().is_some(), get_terminal_stderr().is_some());
    Ok(())
}

async fn echo() {
    let ((mut input, read), (mut output, reader)) = (stdin::read_via_stream(), wit_stream::new());
    let written = stdout::write_via_stream(reader);
    loop {
        let (result, bytes) = input.read(Vec::with_capacity(4096)).await;
        let left = output.write_all(bytes).await;
        assert!(left.is_empty(), "stdout does not take {} bytes", left.len());
        if result == StreamResult::Dropped {
            break;
        }
    }
    drop(output);
    let (read, written) = both(read, written).await;
    assert!(read.is_ok() && written.is_ok(), "{read:?}, {written:?}");
}

/// What was not read is still there for the next stream.
async fn reread() {
    drop(stdin::read_via_stream());
    let (mut stream, done) = stdin::read_via_stream();
    let (_, before) = try_read(&mut stream, 2, 0).await;
    drop(stream);
    assert!(done.await.is_ok());
    drain(before, stdout::write_via_stream).await.unwrap();
    echo().await;
}

async fn restless() {
    let ((mut input, read), (mut output, reader)) = (stdin::read_via_stream(), wit_stream::new());
    let written = stdout::write_via_stream(reader);
    loop {
        let (result, bytes) = try_read(&mut input, 100, MILLISECOND).await;
        if !bytes.is_empty() {
            assert!(output.write_all(bytes).await.is_empty());
        }
        if result == StreamResult::Dropped {
            break;
        }
    }
    drop(output);
    let (read, written) = both(read, written).await;
    assert!(read.is_ok() && written.is_ok(), "{read:?}, {written:?}");
}

async fn flood() {
    let (mut writer, reader) = wit_stream::new();
    let done = stdout::write_via_stream(reader);
    while writer.write_all(vec![b'x'; 4096]).await.is_empty() {}
    complain(&format!("{:?}", done.await)).await;
}

/// Starts a write, and waits until it is taken, but not until it is there.
async fn hasty(text: &str) {
    let (mut writer, reader) = wit_stream::new();
    let _done = stdout::write_via_stream(reader);
    assert!(writer.write_all(text.as_bytes().to_vec()).await.is_empty());
}

const CHECKS: &[(&str, fn() -> Checking<'static>)] = checks![
    environment,
    arguments,
    working_directory,
    empty_output,
    several_outputs,
    dropped_input,
    end_of_input,
    terminals,
];

async fn run() -> Result<(), ()> {
    let arguments = get_arguments();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        ["arguments", ..] if words.len() > 1 => say(&format!("{:?}", &words[1..])).await,
        ["environment", "-"] => say(&format!("{:?}", get_environment())).await,
        ["cwd"] => say(&format!("{:?}", get_initial_cwd())).await,
        ["terminals", "-"] => {
            let found = (get_terminal_stdin(), get_terminal_stdout(), get_terminal_stderr());
            let found = [found.0.is_some(), found.1.is_some(), found.2.is_some()];
            say(&format!("{found:?}")).await;
        }
        ["echo"] => echo().await,
        ["forward"] => {
            let (stream, read) = stdin::read_via_stream();
            let written = stdout::write_via_stream(stream);
            let (read, written) = both(read, written).await;
            assert!(read.is_ok() && written.is_ok(), "{read:?}, {written:?}");
        }
        ["reread"] => reread().await,
        ["restless"] => restless().await,
        ["flood"] => flood().await,
        ["complain", text] => complain(text).await,
        ["twice", text] => {
            let text = || drain(text.as_bytes().to_vec(), stdout::write_via_stream);
            let (first, second) = both(text(), text()).await;
            assert!(first.is_ok() && second.is_ok(), "{first:?}, {second:?}");
        }
        ["hasty", text] => hasty(text).await,
        ["hasty-exit", text] => {
            hasty(text).await;
            exit(Ok(()));
        }
        ["return-error"] => return Err(()),
        ["exit", how] => {
            exit(if how == "ok" { Ok(()) } else { Err(()) });
            panic!("exit returned");
        }
        ["exit-with-code", code] => {
            exit_with_code(code.parse().unwrap());
            panic!("exit-with-code returned");
        }
        _ => return check::run(CHECKS, async |_, check| check().await).await,
    }
    Ok(())
}

command!(run());
