//! What a store of a component holds, as embedders write it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]

use wasi_host::{ResourceTable, WasiCtx, WasiView};

pub struct State {
    pub table: ResourceTable,
    pub ctx: WasiCtx,
}

impl WasiView for State {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}
