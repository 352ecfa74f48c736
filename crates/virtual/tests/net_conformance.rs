//! Every network of this crate against the suite that every network must pass.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use wasi_host_core::conformance::net::{Subject, all};
use wasi_host_core::net::Network;
use wasi_host_core::wait::Waiter;
use wasi_host_native::net::NativeNetwork;
use wasi_host_native::wait::Poller;
use wasi_host_virtual::net::{Link, Loopback, Resolver, Rules};
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

fn all_allowed(network: impl Network + 'static) -> Rules {
    let rules = Rules::new(network);
    rules.allow("*".parse().unwrap());
    rules
}

#[test]
fn rules() {
    all(|| subject(all_allowed(host(&Loopback::new())), poller()));
    // By addresses and names, one in another.
    all(|| {
        let rules = Rules::new(all_allowed(host(&Loopback::new())));
        // Nobody is at the last two: that is for the network to say.
        for rule in
            [IPV4, IPV6, "0.0.0.0", "::", "*.internal", "203.0.113.1", "2001:db8::1", "127.0.0.1", "::1"]
        {
            rules.allow(rule.parse().unwrap());
        }
        subject(rules, poller())
    });
}

#[test]
fn rules_for_the_operating_systems_network() {
    let ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok().then_some(Ipv6Addr::LOCALHOST);
    all(|| Subject {
        ipv4: Some(Ipv4Addr::LOCALHOST),
        ipv6,
        name: "localhost".to_owned(),
        // Too long for any name server to be asked for it.
        no_name: "a".repeat(64),
        ..subject(all_allowed(NativeNetwork), poller())
    });
}
