//! Which names may be looked up, and what they then stand for.

use crate::*;

/// A name server in the hands of somebody bad: it gives the n-th of these answers, and at last always the last.
fn rebinding(answers: &'static [&'static str]) -> (Resolver, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let resolver = Resolver::new(Denied, move |_| {
        let n = count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
        Ok(answers[n].split(' ').map(ip).collect())
    });
    (resolver, asked)
}

fn connects(rules: &Rules, to: &str) -> bool {
    rules.permits(addr(to), TcpConnect)
}

#[test]
fn which_may_be_looked_up() {
    for (allowed, denied, yes, no) in [
        (
            &["example.com"][..],
            &[][..],
            &["example.com", "EXAMPLE.COM."][..],
            &["www.example.com", "com"][..],
        ),
        (
            &["*.example.com"],
            &[],
            &["www.example.com", "a.b.example.com"],
            &["example.com", "badexample.com"],
        ),
        (&["*.example.com"], &["www.example.com"], &["a.example.com"], &["www.example.com"]),
        (&["*.example.com"], &["*.b.example.com"], &["b.example.com"], &["a.b.example.com"]),
        (&["*"], &["example.com"], &["www.example.com", "db"], &["example.com"]),
        (&["*:443"], &[], &["db"], &[]),
        (&["example.com:443"], &["example.com:80"], &["example.com"], &[]),
        (&["example.com"], &["*"], &[], &["example.com"]),
        (&["10.0.0.0/8"], &[], &[], &["example.com"]),
    ] {
        let rules = Rules::new(rebinding(&["203.0.113.1"]).0);
        for text in allowed {
            rules.allow(rule(text));
        }
        for text in denied {
            rules.deny(rule(text));
        }
        for name in yes {
            assert_eq!(look_up(&rules, name), Ok(vec![ip("203.0.113.1")]), "{name} by {allowed:?}");
        }
        for name in no {
            assert_eq!(look_up(&rules, name), Err(Error::AccessDenied), "{name} by {allowed:?}");
        }
    }
}

#[test]
fn an_address_is_allowed_once_its_name_was_looked_up_with_the_ports_of_the_rule() {
    let rules = Rules::new(rebinding(&["203.0.113.1 2001:db8::1"]).0);
    allow(&rules, "api.example.com:443");
    assert!(!connects(&rules, "203.0.113.1:443"));
    look_up(&rules, "api.example.com").unwrap();
    assert!(connects(&rules, "203.0.113.1:443") && connects(&rules, "[2001:db8::1]:443"));
    assert!(!connects(&rules, "203.0.113.1:80"));
    assert!(!connects(&rules, "203.0.113.2:443"));
}

#[test]
fn a_name_cannot_be_bound_to_something_else() {
    let (resolver, asked) = rebinding(&["203.0.113.1", "127.0.0.1"]);
    let rules = Rules::new(resolver.clone());
    allow(&rules, "*.example.com");
    for _ in 0..3 {
        assert_eq!(look_up(&rules, "evil.example.com"), Ok(vec![ip("203.0.113.1")]));
        assert!(connects(&rules, "203.0.113.1:80") && !connects(&rules, "127.0.0.1:80"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // What others look up changes nothing, …
    assert_eq!(look_up(&resolver, "evil.example.com"), Ok(vec![ip("127.0.0.1")]));
    let others = Rules::new(resolver);
    allow(&others, "*.example.com");
    assert_eq!(look_up(&others, "evil.example.com"), Ok(vec![ip("127.0.0.1")]));
    assert!(!connects(&rules, "127.0.0.1:80"));
    // … and the embedder has the last word.
    assert!(rules.forget("evil.example.com.") && !rules.forget("evil.example.com"));
    assert!(!connects(&rules, "203.0.113.1:80"));
    assert_eq!(look_up(&rules, "evil.example.com"), Ok(vec![ip("127.0.0.1")]));
}

#[test]
fn an_allowed_name_leads_nowhere_that_is_denied() {
    let answers = &["127.0.0.1 169.254.169.254 10.0.0.1 ::1 ::ffff:127.0.0.1 203.0.113.1"];
    let rules = Rules::new(rebinding(answers).0);
    for text in Rules::INTERNAL {
        rules.deny(rule(text));
    }
    allow(&rules, "*.example.com");
    look_up(&rules, "evil.example.com").unwrap();
    for denied in ["127.0.0.1:80", "169.254.169.254:80", "10.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(!connects(&rules, denied), "{denied}");
    }
    assert!(connects(&rules, "203.0.113.1:80"));
}

#[test]
fn two_look_ups_at_once_pin_the_same() {
    let rules = Rules::new(rebinding(&["203.0.113.1", "127.0.0.1"]).0);
    allow(&rules, "evil.example.com");
    let slots = wasi_host_core::slots::Slots::new(2);
    let mut both = [0, 1].map(|_| rules.lookup("evil.example.com", slots.take().unwrap()).unwrap());
    let found: Vec<_> = both.iter_mut().map(|lookup| lookup.addresses()).collect();
    assert_eq!(found[0], found[1]);
    assert!(!connects(&rules, "127.0.0.1:80"));
}

#[test]
fn pins_go_with_their_rule() {
    let rules = Rules::new(rebinding(&["203.0.113.1", "203.0.113.2"]).0);
    let id = allow(&rules, "example.com");
    look_up(&rules, "example.com").unwrap();
    assert!(connects(&rules, "203.0.113.1:80"));
    assert!(rules.revoke(id) && !rules.revoke(id));
    assert!(!connects(&rules, "203.0.113.1:80"));
    allow(&rules, "*.com");
    assert!(!connects(&rules, "203.0.113.1:80"));
    look_up(&rules, "example.com").unwrap();
    assert!(connects(&rules, "203.0.113.2:80") && !connects(&rules, "203.0.113.1:80"));
    // A name that is denied allows nothing, though it was looked up before.
    rules.deny(rule("example.com"));
    assert!(!connects(&rules, "203.0.113.2:80"));
}

#[test]
fn a_look_up_that_ends_when_its_name_is_not_allowed_any_more() {
    let rules = Rules::new(rebinding(&["203.0.113.1"]).0);
    let id = allow(&rules, "example.com");
    let slots = wasi_host_core::slots::Slots::new(1);
    let mut lookup = rules.lookup("example.com", slots.take().unwrap()).unwrap();
    rules.revoke(id);
    assert_eq!(lookup.addresses(), Err(Error::AccessDenied));
    assert!(!connects(&rules, "203.0.113.1:80"));
}

#[test]
fn a_denied_port_of_a_name_is_denied_at_its_addresses() {
    let rules = Rules::new(rebinding(&["203.0.113.1"]).0);
    allow(&rules, "*");
    rules.deny(rule("example.com:25"));
    look_up(&rules, "example.com").unwrap();
    assert!(connects(&rules, "203.0.113.1:80") && !connects(&rules, "203.0.113.1:25"));
}

#[test]
fn as_many_as_there_is_room_for() {
    let many: Vec<IpAddr> = (0..=255).map(|n| [203, 0, 113, n].into()).collect();
    let rules = Rules::new(Resolver::new(Denied, move |_| Ok(many.clone())));
    allow(&rules, "*.example.com");
    for n in 0..1024 {
        assert_eq!(look_up(&rules, &format!("n{n}.example.com")).unwrap().len(), 32);
    }
    assert_eq!(look_up(&rules, "one-more.example.com"), Err(Error::TemporaryResolverFailure));
    assert!(look_up(&rules, "n7.example.com").is_ok());
    assert!(connects(&rules, "203.0.113.31:80") && !connects(&rules, "203.0.113.32:80"));
    assert!(rules.forget("n7.example.com"));
    assert!(look_up(&rules, "one-more.example.com").is_ok());
}

/// Names beneath one are as many as a guest likes.
#[test]
fn no_guest_takes_the_room_of_a_name_that_has_a_rule_of_its_own() {
    let rules = Rules::new(rebinding(&["203.0.113.1"]).0);
    allow(&rules, "*.example.com");
    allow(&rules, "db.internal");
    for n in 0..1024 {
        look_up(&rules, &format!("n{n}.example.com")).unwrap();
    }
    assert_eq!(look_up(&rules, "one-more.example.com"), Err(Error::TemporaryResolverFailure));
    assert_eq!(look_up(&rules, "db.internal"), Ok(vec![ip("203.0.113.1")]));
}

#[test]
fn an_empty_answer_is_none_to_keep() {
    let rules = Rules::new(Resolver::new(Denied, |_| Ok(Vec::new())));
    allow(&rules, "example.com");
    assert_eq!(look_up(&rules, "example.com"), Err(Error::NameUnresolvable));
    assert!(!rules.forget("example.com"));
}
