//! How a rule is written.

use crate::*;

#[test]
fn each_form_covers_what_it_says_and_nothing_beside() {
    for (text, inside, outside) in [
        ("127.0.0.1", &["127.0.0.1:1", "127.0.0.1:65535"][..], &["127.0.0.2:1", "[::1]:1"][..]),
        ("127.0.0.1:80", &["127.0.0.1:80"], &["127.0.0.1:81", "127.0.0.2:80"]),
        ("127.0.0.1:0", &["127.0.0.1:0"], &["127.0.0.1:1"]),
        ("::1", &["[::1]:1"], &["[::2]:1", "127.0.0.1:1"]),
        ("[::1]", &["[::1]:1"], &["[::2]:1"]),
        ("[::1]:80", &["[::1]:80"], &["[::1]:81"]),
        ("::ffff:10.0.0.1", &["10.0.0.1:1", "[::ffff:10.0.0.1]:1"], &["10.0.0.2:1"]),
        ("::ffff:10.0.0.0/104", &["10.0.0.1:1", "[::ffff:10.0.0.1]:1"], &["11.0.0.1:1"]),
        ("[::ffff:10.0.0.0/104]:80", &["10.0.0.1:80"], &["10.0.0.1:81"]),
        ("::ffff:0:0/96", &["203.0.113.1:1"], &["[2001:db8::1]:1"]),
        ("10.0.0.0/8", &["10.0.0.1:1", "10.255.255.255:1"], &["11.0.0.0:1", "9.255.255.255:1"]),
        ("10.1.2.3/8", &["10.0.0.1:1"], &["11.0.0.0:1"]),
        ("10.0.0.0/8:53", &["10.9.9.9:53"], &["10.9.9.9:54"]),
        ("fd00::/8", &["[fdff::1]:1"], &["[fe80::1]:1"]),
        ("[fd00::/8]:443", &["[fd00::1]:443"], &["[fd00::1]:80", "[fe80::1]:443"]),
        ("127.0.0.1:8000-8010", &["127.0.0.1:8000", "127.0.0.1:8010"], &["127.0.0.1:7999", "127.0.0.1:8011"]),
        ("*", &["203.0.113.1:1", "[2001:db8::1]:1", "0.0.0.0:1"], &[]),
        ("*:443", &["203.0.113.1:443", "[2001:db8::1]:443"], &["203.0.113.1:80"]),
        ("0.0.0.0/0", &["203.0.113.1:1", "[::ffff:203.0.113.1]:1"], &["[2001:db8::1]:1"]),
        // A range of IPv4 in the words of IPv6, …
        ("::ffff:10.0.0.0/104", &["10.1.2.3:1", "[::ffff:10.1.2.3]:1"], &["11.0.0.0:1", "[::a01:203]:1"]),
        ("[::ffff:10.1.0.0/112]:53", &["10.1.2.3:53"], &["10.1.2.3:54", "10.2.0.0:53"]),
        ("::ffff:10.0.0.1/128", &["10.0.0.1:1"], &["10.0.0.2:1"]),
        ("::ffff:0:0/96", &["203.0.113.1:1", "[::ffff:203.0.113.1]:1"], &["[2001:db8::1]:1", "[::1]:1"]),
        // … and ranges of IPv6 that have those in them.
        ("::ffff:0:0/95", &["[::fffe:0:1]:1"], &["203.0.113.1:1", "[::ffff:203.0.113.1]:1"]),
        ("::/0", &["[2001:db8::1]:1", "[::1]:1"], &["203.0.113.1:1", "[::ffff:203.0.113.1]:1"]),
        ("0.0.0.0:8080", &["0.0.0.0:8080"], &["127.0.0.1:8080", "0.0.0.0:8081"]),
        // A name stands for nothing that was not looked up.
        ("localhost", &[], &["127.0.0.1:1", "[::1]:1"]),
    ] {
        let rules = Rules::new(Denied);
        allow(&rules, text);
        for to in inside {
            assert!(permits(&rules, to), "{text} covers {to}");
        }
        for to in outside {
            assert!(!permits(&rules, to), "{text} does not cover {to}");
        }
    }
}

#[test]
fn what_is_no_rule() {
    for (text, words) in [
        ("", "neither an address nor the name"),
        (":80", "neither an address nor the name"),
        ("a b", "neither an address nor the name"),
        ("http://example.com", "`//example.com` is no port"),
        ("256.0.0.1", "neither an address nor the name"),
        ("127.1", "neither an address nor the name"),
        ("0x7f.1", "neither an address nor the name"),
        ("2130706433", "neither an address nor the name"),
        ("example.0x1", "neither an address nor the name"),
        ("10.0.0.0/33", "no range of addresses"),
        ("10.0.0.0/", "no range of addresses"),
        ("example.com/8", "no range of addresses"),
        ("::1:80:x", "[::1]:80"),
        ("[::1", "not closed"),
        ("[::1]80", "behind the bracket"),
        ("[127.0.0.1]:80", "only these stand in brackets"),
        ("*.", "neither an address nor the name"),
        ("*.*.example.com", "neither an address nor the name"),
        ("*.10.0.0.1", "neither an address nor the name"),
        ("a.*.example.com", "`*` stands alone"),
        ("*example.com", "`*` stands alone"),
        ("127.0.0.1:", "no port"),
        ("127.0.0.1:http", "no port"),
        ("127.0.0.1:65536", "no port"),
        ("127.0.0.1:+1", "no port"),
        ("127.0.0.1:2-1", "no port"),
        ("127.0.0.1:1-", "no port"),
        ("127.0.0.1:1-2-3", "no port"),
    ] {
        let error = text.parse::<Rule>().expect_err(text);
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn names_are_compared_as_guests_look_them_up() {
    for (text, name) in [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "example.com"),
        ("a_b-c.example:80", "a_b-c.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("db:5432", "db"),
    ] {
        assert_eq!(rule(text).name(), Some(name), "{text}");
        assert!(!rule(text).is_pattern());
    }
    assert!(rule("*.example.com").is_pattern());
    for text in ["*", "10.0.0.0/8", "::1", "*.example.com"] {
        assert_eq!(rule(text).name(), None, "{text}");
    }
    assert_eq!(rule("db:5432").at(ip("10.0.0.1")), rule("10.0.0.1:5432"));
    assert_eq!(Rule::from(ip("10.0.0.1")), rule("10.0.0.1"));
}
