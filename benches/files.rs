//! What the measured guests find in the directory that is given to them.

use std::{fs, io};

/// Where the measured files are: in memory, so that no disk is measured.
pub const SHM: &str = "/dev/shm/wasi-host-bench";

/// Makes `data` of 256 MiB, `out` of 65 MiB, small files, and directories of 1,000 and 10,000 entries.
///
/// # Errors
///
/// If a file cannot be made.
pub fn make(dir: &str) -> io::Result<()> {
    fs::create_dir_all(format!("{dir}/sub"))?;
    for (name, size) in [("data", 256 << 20), ("out", 65 << 20)] {
        fs::write(format!("{dir}/{name}"), vec![7; size])?;
    }
    for name in ["small.txt", "sub/small.txt"] {
        fs::write(format!("{dir}/{name}"), "hello")?;
    }
    for (name, n) in [("d1000", 1000), ("d10000", 10_000)] {
        fs::create_dir_all(format!("{dir}/{name}"))?;
        for i in 0..n {
            fs::write(format!("{dir}/{name}/file-number-{i:06}.txt"), "")?;
        }
    }
    Ok(())
}
