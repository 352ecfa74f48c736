//! What a loopback network promises beyond what every network does: hosts and names, links, bounds.

mod net;
mod net_loopback {
    mod hosts;
    mod limits;
    mod links;
    mod waking;
}
