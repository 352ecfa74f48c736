//! Names.

use super::Here;
use crate::conformance::check::{equal, holds};
use crate::net::{Error, Lookup};
use crate::slots::{Slot, Slots};
use std::net::IpAddr;

super::list!("lookup": a_name, no_name, a_slot_is_held, one_that_is_given_up);

fn begin(here: &Here, name: &str, slot: Slot) -> Result<Box<dyn Lookup>, Error> {
    here.subject.network.lookup(name, slot)
}

fn slot(slots: &Slots) -> Slot {
    let slot = slots.take();
    holds("the slot of the one before is still held", slot.is_some());
    slot.unwrap_or_else(|| unreachable!())
}

fn finish(here: &Here, mut lookup: Box<dyn Lookup>) -> Result<Vec<IpAddr>, Error> {
    loop {
        match lookup.addresses() {
            Err(Error::WouldBlock) => here.wait(lookup.wait()),
            done => return done,
        }
    }
}

fn a_name(here: &Here) {
    let name = &here.subject.name;
    for _ in 0..2 {
        let found = begin(here, name, slot(&Slots::new(1))).and_then(|lookup| finish(here, lookup));
        holds(format_args!("{name:?}: {found:?}"), found.as_ref().is_ok_and(|found| !found.is_empty()));
    }
}

fn no_name(here: &Here) {
    let name = &here.subject.no_name;
    let found = begin(here, name, slot(&Slots::new(1))).and_then(|lookup| finish(here, lookup));
    let nothing = match &found {
        Ok(found) => found.is_empty(),
        Err(e) => matches!(
            e,
            Error::NameUnresolvable | Error::TemporaryResolverFailure | Error::PermanentResolverFailure
        ),
    };
    holds(format_args!("{name:?}: {found:?}"), nothing);
}

fn a_slot_is_held(here: &Here) {
    let slots = Slots::new(1);
    match begin(here, &here.subject.name, slot(&slots)) {
        Err(e) => equal("look up", Err(e), Ok(())),
        Ok(mut lookup) => loop {
            let free = slots.take();
            if lookup.addresses() != Err(Error::WouldBlock) {
                break;
            }
            holds("the slot is free while the look-up goes on", free.is_none());
            here.wait(lookup.wait());
        },
    }
    comes_free(here, &slots);
}

fn one_that_is_given_up(here: &Here) {
    let slots = Slots::new(1);
    drop(begin(here, &here.subject.name, slot(&slots)));
    comes_free(here, &slots);
}

fn comes_free(here: &Here, slots: &Slots) {
    let free = (0..1000).any(|_| {
        here.pause();
        slots.take().is_some()
    });
    holds("the slot is still held", free);
}
