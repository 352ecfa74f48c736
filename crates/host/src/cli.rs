//! `wasi:cli` as far as 0.2 and 0.3 have it alike.

/// The program's surroundings, its end and its terminals, for one output of the generator: the traits of each are its own.
macro_rules! surroundings {
    ($cli:path, $initial_cwd:ident) => {
        const _: () = {
            use crate::error::I32Exit;
            use crate::view::{WasiImpl, WasiView};
            use cli::{
                environment, exit, terminal_input, terminal_output, terminal_stderr, terminal_stdin,
                terminal_stdout,
            };
            use wasi_host_bindings::{TerminalInput, TerminalOutput};
            use wasmtime::component::Resource;
            use wasmtime::{Error, Result};
            use $cli as cli;

            impl<T: WasiView> environment::Host for WasiImpl<T> {
                fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
                    Ok(self.ctx().env.clone())
                }

                fn get_arguments(&mut self) -> Result<Vec<String>> {
                    Ok(self.ctx().args.clone())
                }

                fn $initial_cwd(&mut self) -> Result<Option<String>> {
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

            fn terminal<R: Send + 'static>(
                view: &mut impl WasiView,
                is_terminal: bool,
                terminal: R,
            ) -> Result<Option<Resource<R>>> {
                Ok(is_terminal.then(|| view.table().push(terminal)).transpose()?)
            }

            impl<T: WasiView> terminal_stdin::Host for WasiImpl<T> {
                fn get_terminal_stdin(&mut self) -> Result<Option<Resource<TerminalInput>>> {
                    let is_terminal = self.ctx().stdin.isatty();
                    terminal(self, is_terminal, TerminalInput)
                }
            }

            impl<T: WasiView> terminal_stdout::Host for WasiImpl<T> {
                fn get_terminal_stdout(&mut self) -> Result<Option<Resource<TerminalOutput>>> {
                    let is_terminal = self.ctx().stdout.isatty();
                    terminal(self, is_terminal, TerminalOutput)
                }
            }

            impl<T: WasiView> terminal_stderr::Host for WasiImpl<T> {
                fn get_terminal_stderr(&mut self) -> Result<Option<Resource<TerminalOutput>>> {
                    let is_terminal = self.ctx().stderr.isatty();
                    terminal(self, is_terminal, TerminalOutput)
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
        };
    };
}
pub(crate) use surroundings;
