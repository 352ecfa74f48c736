//! Every network of this crate against the suite that every network must pass.

use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::conformance::net::{Subject, all};
use wasi_host_core::net::Network;
use wasi_host_core::wait::Waiter;
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::{Link, Loopback, Resolver};
use wasi_host_virtual::time::VirtualTime;

const IPV4: &str = "10.0.0.5";
const IPV6: &str = "fd00::5";

fn subject(network: impl Network + 'static, waiter: Arc<dyn Waiter>) -> Subject {
    Subject {
        network: Arc::new(network),
        waiter,
        ipv4: IPV4.parse().ok(),
        ipv6: IPV6.parse().ok(),
        name: "db.internal".to_owned(),
        no_name: "web.internal".to_owned(),
    }
}

fn poller() -> Arc<dyn Waiter> {
    Arc::new(Poller::default())
}

fn host(net: &Loopback) -> impl Network + Clone + use<> {
    net.host([IPV4.parse().unwrap(), IPV6.parse().unwrap()]).unwrap().named("DB.internal.")
}

#[test]
fn loopback() {
    all(|| subject(host(&Loopback::new()), poller()));
}

#[test]
fn loopback_by_its_own_addresses() {
    all(|| Subject {
        ipv4: "127.0.0.1".parse().ok(),
        ipv6: "::1".parse().ok(),
        name: "localhost".to_owned(),
        ..subject(host(&Loopback::new()), poller())
    });
}

#[test]
fn loopback_over_a_link() {
    for time in [None, Some(VirtualTime::new())] {
        all(|| {
            let net = time.clone().map_or_else(Loopback::new, Loopback::in_time);
            net.set_link(Link {
                latency: Duration::from_millis(3),
                bandwidth: Some(1 << 30),
                ..Link::default()
            });
            let waiter = time.as_ref().map_or_else(poller, |time| Arc::new(time.waiter(poller())));
            subject(host(&net), waiter)
        });
    }
}

#[test]
fn other_names() {
    all(|| {
        let names = [("DB.internal.", vec!["10.0.0.7".parse().unwrap()])];
        subject(Resolver::table(host(&Loopback::new()), names), poller())
    });
    all(|| {
        let nothing: [(&str, _); 0] = [];
        subject(Resolver::table(host(&Loopback::new()), nothing).fall_through(), poller())
    });
}
