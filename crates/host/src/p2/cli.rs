//! `wasi:cli`.

use crate::error::I32Exit;
use crate::view::{WasiImpl, WasiView};
use wasi_host_bindings::p2::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use wasi_host_bindings::{TerminalInput, TerminalOutput};
use wasi_host_core::stdio::StdoutStream;
use wasi_host_core::stream::{InputStream, OutputStream};
use wasmtime::component::Resource;
use wasmtime::{Error, Result};

impl<T: WasiView> environment::Host for WasiImpl<T> {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        Ok(self.ctx().env.clone())
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        Ok(self.ctx().args.clone())
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(self.ctx().initial_cwd.clone())
    }
}

impl<T: WasiView> exit::Host for WasiImpl<T> {
    fn exit(&mut self, status: Result<(), ()>) -> Result<()> {
        Err(Error::new(I32Exit(status.is_err().into())))
    }

    fn exit_with_code(&mut self, status: u8) -> Result<()> {
        Err(Error::new(I32Exit(status.into())))
    }
}

impl<T: WasiView> stdin::Host for WasiImpl<T> {
    fn get_stdin(&mut self) -> Result<Resource<InputStream>> {
        let stream = self.ctx().stdin.stream();
        Ok(self.table().push(stream)?)
    }
}

impl<T: WasiView> stdout::Host for WasiImpl<T> {
    fn get_stdout(&mut self) -> Result<Resource<OutputStream>> {
        let stream = self.ctx().stdout.stream();
        Ok(self.table().push(stream)?)
    }
}

impl<T: WasiView> stderr::Host for WasiImpl<T> {
    fn get_stderr(&mut self) -> Result<Resource<OutputStream>> {
        let stream = self.ctx().stderr.stream();
        Ok(self.table().push(stream)?)
    }
}

impl<T: WasiView> terminal_stdin::Host for WasiImpl<T> {
    fn get_terminal_stdin(&mut self) -> Result<Option<Resource<TerminalInput>>> {
        let terminal = self.ctx().stdin.isatty().then_some(TerminalInput);
        Ok(terminal.map(|t| self.table().push(t)).transpose()?)
    }
}

impl<T: WasiView> WasiImpl<T> {
    fn terminal(
        &mut self,
        of: impl FnOnce(&crate::WasiCtx) -> &dyn StdoutStream,
    ) -> Result<Option<Resource<TerminalOutput>>> {
        let terminal = of(self.ctx()).isatty().then_some(TerminalOutput);
        Ok(terminal.map(|t| self.table().push(t)).transpose()?)
    }
}

impl<T: WasiView> terminal_stdout::Host for WasiImpl<T> {
    fn get_terminal_stdout(&mut self) -> Result<Option<Resource<TerminalOutput>>> {
        self.terminal(|ctx| &*ctx.stdout)
    }
}

impl<T: WasiView> terminal_stderr::Host for WasiImpl<T> {
    fn get_terminal_stderr(&mut self) -> Result<Option<Resource<TerminalOutput>>> {
        self.terminal(|ctx| &*ctx.stderr)
    }
}

impl<T: WasiView> terminal_input::Host for WasiImpl<T> {}

impl<T: WasiView> terminal_input::HostTerminalInput for WasiImpl<T> {
    fn drop(&mut self, terminal: Resource<TerminalInput>) -> Result<()> {
        self.table().delete(terminal)?;
        Ok(())
    }
}

impl<T: WasiView> terminal_output::Host for WasiImpl<T> {}

impl<T: WasiView> terminal_output::HostTerminalOutput for WasiImpl<T> {
    fn drop(&mut self, terminal: Resource<TerminalOutput>) -> Result<()> {
        self.table().delete(terminal)?;
        Ok(())
    }
}
