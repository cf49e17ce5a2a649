//! Tests of credentials in all forms, and of text that must stay.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::{REDACTED, Redactor, Variable, is_secret_name};

/// A JSON Web Token.
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N";

fn cut(text: &str) -> String {
    Redactor::default().redact(text).into_owned()
}

fn secret(value: &str) -> Option<Variable> {
    Variable::secret("MY_TOKEN", value, &|path: &Path| path == Path::new("/tmp"))
}

fn masking(values: &[&str]) -> Redactor {
    let variables: Vec<Variable> = values.iter().filter_map(|value| secret(value)).collect();
    assert_eq!(variables.len(), values.len());
    Redactor::new(&variables)
}

#[test]
fn credentials_are_cut() {
    let github = format!("ghp_{}", "a1B2".repeat(9));
    for (text, expected) in [
        ("https://user:PW@host/x.git", "https://[redacted]@host/x.git"),
        ("fatal: 'https://x-access-token:PW@github.com/a/b/'", "fatal: 'https://[redacted]@github.com/a/b/'"),
        ("https://PWx7Kq92mZ4vTb@host", "https://[redacted]@host"),
        ("https://:PW@host", "https://[redacted]@host"),
        ("xrdcp root://u:PW@eos.cern.ch//eos/f.root .", "xrdcp root://[redacted]@eos.cern.ch//eos/f.root ."),
        ("ssh://git:PW@host:22/x", "ssh://[redacted]@host:22/x"),
        ("davs://u:PW@se.site:443/x", "davs://[redacted]@se.site:443/x"),
        ("docker://user:PW@registry:5000/img:1@sha256:ab", "docker://[redacted]@registry:5000/img:1@sha256:ab"),
        ("oras://user:PW@registry/img", "oras://[redacted]@registry/img"),
        ("no such image: user:PWx7Kq92@registry.cern.ch/img:1", "no such image: [redacted]@registry.cern.ch/img:1"),
        ("pulling user:PWx7Kq92@10.0.0.1:5000/img", "pulling [redacted]@10.0.0.1:5000/img"),
        ("pulling user:PWx7Kq92@registry/img", "pulling [redacted]@registry/img"),
        ("[... 20 bytes left out ...]\nPW@host.example/x", "[... 20 bytes left out ...]\n[redacted]@host.example/x"),
        ("docker-daemon:user:PW@localhost/img", "docker-daemon:[redacted]@localhost/img"),
        ("pkg @ git+https://u:PW@host/x@v1#egg=pkg", "pkg @ git+https://[redacted]@host/x@v1#egg=pkg"),
        (
            "--index-url=https://u:PW@h/simple,https://v:PW@i/",
            "--index-url=https://[redacted]@h/simple,https://[redacted]@i/",
        ),
        ("https://u:PW/PW+PW==@host/x", "https://[redacted]@host/x"),
        ("https://u:PW@PW@host/x", "https://[redacted]@host/x"),
        ("https://u:PW?PW#PW@host/x", "https://[redacted]@host/x"),
        ("https://u:PW'PW@host/x", "https://[redacted]@host/x"),
        ("{\"a\":\"https:\\/\\/u:PW@host\\/x\"}", "{\"a\":\"https:\\/\\/[redacted]@host\\/x\"}"),
        ("?url=https%3A%2F%2Fu%3APW%40host%2Fx", "?url=https%3A%2F%2F[redacted]%40host%2Fx"),
        ("é https://u:PW@hé/x", "é https://[redacted]@hé/x"),
        ("https://u:PW...", "https://[redacted]..."),
        ("cloning https://x-access-token:PW", "cloning https://[redacted]"),
        ("a https://u:PW\n[... 20 bytes left out ...]\nb", "a https://[redacted]\n[... 20 bytes left out ...]\nb"),
        ("GET /x?access_token=PW&a=b HTTP/1.1", "GET /x?access_token=[redacted]&a=b HTTP/1.1"),
        ("https://s3/x?a=1&X-Amz-Signature=PW", "https://s3/x?a=1&X-Amz-Signature=[redacted]"),
        (
            "https://s3/x?X-Amz-Credential=PW%2F1&amp;X-Amz-Security-Token=PW",
            "https://s3/x?X-Amz-Credential=[redacted]&amp;X-Amz-Security-Token=[redacted]",
        ),
        ("https://blob/x?sv=2&sig=PWx7Kq92mZ4vTb1c%2B8%3D", "https://blob/x?sv=2&sig=[redacted]"),
        ("root://h//f?authz=Bearer%20PW", "root://h//f?authz=[redacted]"),
        ("https://h/#access_token=PW", "https://h/#access_token=[redacted]"),
        ("https://h/x?private_token=PW", "https://h/x?private_token=[redacted]"),
        ("-d 'client_secret=PW&grant_type=x'", "-d 'client_secret=[redacted]&grant_type=x'"),
        ("> Authorization: Bearer PW", "> Authorization: Bearer [redacted]"),
        ("> authorization: basic PW==\r\n> Accept: */*", "> authorization: basic [redacted]\r\n> Accept: */*"),
        ("{'Authorization': 'token PW'}", "{'Authorization': 'token [redacted]'}"),
        ("{\"Authorization\": \"Bearer PW\", \"a\": 1}", "{\"Authorization\": \"Bearer [redacted]\", \"a\": 1}"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=PW, Signature=PW", "Authorization: AWS4-HMAC-SHA256 [redacted]"),
        ("> PRIVATE-TOKEN: PW-1234567", "> PRIVATE-TOKEN: [redacted]"),
        ("Set-Cookie: session=PW; Path=/", "Set-Cookie: [redacted]"),
        ("{\"user\": \"u\", \"password\": \"PW x4 y'z\"}", "{\"user\": \"u\", \"password\": \"[redacted]\"}"),
        ("{\\\"db_password\\\":\\\"PW1234\\\"}", "{\\\"db_password\\\":\\\"[redacted]\\\"}"),
        ("connect(user='u', passwd='PW1234')", "connect(user='u', passwd='[redacted]')"),
        ("host=db user=u password=PW1234 port=1", "host=db user=u password=[redacted] port=1"),
        ("+ curl -s -u bob:PW https://host/x", "+ curl -s -u bob:[redacted] https://host/x"),
        ("curl --user 'bob:PW' https://host/x", "curl --user 'bob:[redacted]' https://host/x"),
    ] {
        assert_eq!(cut(text), expected, "{text}");
        assert_eq!(cut(expected), expected, "{text}");
        assert!(!cut(text).contains("PW"), "{text}");
    }
    assert_eq!(cut(&format!("x={github}")), "x=ghp_[redacted]");
    for start in ["dckr_pat_", "glsa_", "sk-proj-"] {
        assert_eq!(cut(&format!("x {start}{}", "a1B2".repeat(10))), format!("x {start}[redacted]"));
    }
    assert_eq!(cut(&format!("token {JWT} ok")), "token [redacted] ok");
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", "MIIEpAIB".repeat(20));
    assert_eq!(cut(&key), "-----BEGIN RSA PRIVATE KEY-----\n[redacted]\n-----END RSA PRIVATE KEY-----\n");
}

#[test]
fn ordinary_text_is_not_changed() {
    for text in [
        "user@host",
        "jane.doe@cern.ch and <john@example.org>",
        "mailto:jane@cern.ch/x",
        "pkg @ https://files.example.org/pkg-1.0.whl",
        "git@github.com:x/y.git",
        "ssh://git@github.com/x/y",
        "git+ssh://git@gitlab.cern.ch:7999/a/b@v1.0",
        "root://eosuser.cern.ch//eos/user/j/jane/a@b.root",
        "root://jane@eos.cern.ch//eos/x",
        "root://host//store/mc/x:y@z/file.root",
        "https://github.com/x/y@v1",
        "https://host:8443/x?a=b@c",
        "http://localhost:$PORT/x@y",
        "http://[::1]:8080/x",
        "http://host:{port}/a@b",
        "'https://a:8080','b@c'",
        "docker://python:3.11",
        "docker://python:3.11-slim@sha256:0123456789abcdef",
        "docker://registry.cern.ch:5000/a/b:tag@sha256:0123",
        "oras://ghcr.io/a/b:1",
        "npm:@scope/name@1.2.3",
        "github:owner/repo@v1/x",
        "https://${TOKEN}@host/x",
        "https://oauth2:$TOKEN@host/x",
        "https://{user}:{password}@host",
        "https://<token>@host",
        "https://user:***@host",
        "https://git@github.com/a/b",
        "@pytest.fixture(scope='module')",
        "#include <a/b.h> // see https://host/a",
        "id-token: write",
        "github-token: ${{ secrets.GITHUB_TOKEN }}",
        "-H \"Authorization: Bearer $TOKEN\"",
        "headers = {\"Authorization\": f\"Bearer {token}\"}",
        "Authorization: Basic authentication is not supported",
        "the token=1 and key=2",
        "f(&token, key=value)",
        "https://h/x?tokens=3&page=2",
        "https://h/x?token=$TOKEN&a=b",
        "europe-west1-docker.pkg.dev, asia-northeast1-docker.pkg.dev",
        "sqlite:////a/b@c",
        "file:///a/x:y@z/b",
        "std::vector<int>://x",
        "if x.startswith('-----BEGIN PRIVATE KEY-----'):",
        "eyJ",
        "npm:name@1.2/file",
        "token=x && make",
        "TOKEN=x&",
        "pub const SO_COOKIE: c_int = 57;",
        "cookie: a = b",
        "scheme://[user:password@]host/path",
        "sftp://user@host/path",
        "arXiv:2101.00001@v1/x",
        "ttbar:nominal@v2.1/hist",
        "scale:muR@host/x",
        "sample:dataset1@lxplus/path",
        "sample:dataset2024@lxplus.cern.ch/path",
        "postgresql://scott@localhost/db",
        "https://jdoe@gitlab.cern.ch/a/b",
        "x?a&pwd=/home/u",
        "x?a&pwd=%2Fhome%2Fu",
        "http://h/x?sig=0.5&bkg=1",
        "gs://b/a?sig=3",
        "http://h/x?sig=signal_region&bkg=1",
        "http://x/a?b=c:d@e/f",
        "cookie=0x1234=5",
        "api-key: documentation1",
        "{\"password\": \"required\", \"type\": \"string1\"}",
        "password: 8 characters",
        "connect(password=read1(path), user=1)",
        "password=$PASSWORD1 x",
        "password = \"{password1}\"",
        "docker run -u 1000:1000 image",
        "curl -u $USER:$PASS https://host",
    ] {
        assert_eq!(cut(text), text);
    }
}

/// Output of a failing test can repeat the start of a credential. Quadratic time would make this test last for hours.
#[test]
fn every_part_of_a_text_is_read_once() {
    let masks = masking(&["hunter2hunter2"]);
    for part in [
        "://",
        ":\\/\\/",
        "a://b:c",
        "%3a%2f%2f",
        "%3A%2F%2F%40",
        "?token=",
        "?token=${",
        "token=",
        "sig=",
        "a:b@",
        "@a/",
        "authorization:",
        "authorization:bearer ",
        "authorization:digest ",
        "api-key: ",
        "cookie:",
        "cookie:a=",
        "eyJ",
        "eyJ.",
        "eyJaaaaaaaa.",
        "github_pat_",
        "glpat-",
        "ghp_",
        "xoxb-",
        "-----BEGIN x PRIVATE KEY-----\n",
        "-----BEGIN x\nPRIVATE KEY-----",
        "PRIVATE KEY-----\\",
        "\n[... ",
        " left out ...]\n",
        "aHVudGVyMmh1bnRlcjI",
        "\\",
        "%",
        "&#",
        "\u{1b}[",
        "\u{1b}]",
    ] {
        let text = part.repeat((1 << 18) / part.len());
        masks.redact(&text);
        masks.redact(&format!("{text}{}", " ".repeat(1 << 18)));
    }
}

#[test]
fn values_are_masked_in_every_encoding() {
    let value = "p\"a's<w>&/o+r d\\é$1";
    let redactor = masking(&[value]);
    let percent = |upper: bool| {
        let digit = |b: u8| if upper { format!("%{b:02X}") } else { format!("%{b:02x}") };
        value
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { digit(b) })
            .collect::<String>()
    };
    let json = serde_json::to_string(value).expect("JSON");
    for encoded in [
        value.to_owned(),
        percent(true),
        percent(false),
        percent(true).replace("%20", "+"),
        json.trim_matches('"').to_owned(),
        "p\\\"a's<w>&/o+r d\\\\\\u00e9$1".to_owned(),
        "p\\\"a's<w>&\\/o+r d\\\\é$1".to_owned(),
        "p&quot;a&#39;s&lt;w&gt;&amp;/o+r d\\é$1".to_owned(),
        "p&quot;a&#x27;s&lt;w&gt;&amp;/o+r d\\é$1".to_owned(),
        "p\"a's&lt;w&gt;&amp;/o+r d\\é$1".to_owned(),
        "p\"a'\\''s<w>&/o+r d\\é$1".to_owned(),
        "p\"a'\"'\"'s<w>&/o+r d\\é$1".to_owned(),
        "p\"a\\'s<w>&/o+r d\\\\é$1".to_owned(),
        "p\\\"a\\'s\\<w\\>\\&/o+r\\ d\\\\é\\$1".to_owned(),
        value.bytes().map(|b| format!("%{b:02X}")).collect(),
        value.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
        value.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect(),
        json.trim_matches('"').replace('\\', "\\\\").replace('"', "\\\""),
        percent(true).replace('%', "%25"),
        hex::encode(value),
        STANDARD.encode(value),
        STANDARD.encode(format!("u:{value}")),
        STANDARD.encode(format!("us:{value}")),
        STANDARD.encode(format!("use:{value}\n")),
    ] {
        assert_eq!(redactor.redact(&format!("x {encoded} y")), format!("x {REDACTED} y"), "{encoded}");
    }
    let long = "0123456789abcdefghij".repeat(8);
    let encoded = STANDARD.encode(&long);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    let text = masking(&[&long]).redact(&lines.join("\n")).into_owned();
    assert!(lines.iter().all(|line| !text.contains(line)), "{text}");
}

#[test]
fn values_in_wrapped_base64_are_masked() {
    let redactor = masking(&["hunter2hunter2"]);
    for (before, width) in (0..120).flat_map(|before| [(before, 64), (before, 76)]) {
        let encoded = STANDARD.encode(format!("{}hunter2hunter2{}", "x".repeat(before), "y".repeat(80)));
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(width).map(|line| str::from_utf8(line).expect("ASCII")).collect();
        let text = redactor.redact(&lines.join("\n")).into_owned();
        let rest = text.replace(REDACTED, "").replace('\n', "");
        assert!(rest.is_empty(), "{before} {width}: {text}");
    }
}

#[test]
fn credentials_in_colors_are_cut() {
    let redactor = masking(&["hunter2hunter2"]);
    for (text, expected) in [
        ("x hunt\u{1b}[31mer2hunter2\u{1b}[0m y", "x [redacted]\u{1b}[0m y"),
        ("\u{1b}[1mhunter2\u{1b}]0;title\u{7}hunter2", "\u{1b}[1m[redacted]"),
        ("hunter%32\u{1b}(Bhunter2", "[redacted]"),
        ("https://\u{1b}[1mbob:hunter22pass\u{1b}[0m@host/x", "https://\u{1b}[1m[redacted]\u{1b}[0m@host/x"),
        ("\u{1b}[32mAuthor\u{1b}[0mization: Bearer PW", "\u{1b}[32mAuthor\u{1b}[0mization: Bearer [redacted]"),
        ("é\u{1b}[1m https://u:PW@hé/x", "é\u{1b}[1m https://[redacted]@hé/x"),
        ("\u{1b}[1mplain\u{1b}[0m \u{1b}", "\u{1b}[1mplain\u{1b}[0m \u{1b}"),
    ] {
        assert_eq!(redactor.redact(text), expected);
        assert_eq!(redactor.redact(expected), expected);
    }
}

#[test]
fn short_values_are_masked_as_words() {
    let redactor = masking(&["aBc", "s3cr3t"]);
    assert_eq!(
        redactor.redact("aBc \\naBc\\n aBcd xaBc 'aBc' xs3cr3tx s3cr3t"),
        "[redacted] \\n[redacted]\\n aBcd xaBc '[redacted]' xs3cr3tx [redacted]"
    );
}

#[test]
fn short_words_are_not_secret() {
    for value in ["main", "python", "root", "4711", "123456"] {
        assert_eq!(secret(value), None, "{value}");
    }
    for value in ["Main", "main1", "password", "12345678", "zürich"] {
        assert!(secret(value).is_some(), "{value}");
    }
    let passed = |value: &str| Variable::passed("MY_TOKEN", value, &|_| false);
    assert_eq!(["main", "4711"].map(passed), [None, None]);
    let redactor = Redactor::new(&["token", "mysecre"].map(|value| passed(value).expect("a secret")));
    assert_eq!(redactor.redact("token tokens mysecre mysecret"), "[redacted] tokens [redacted] mysecret");
}

#[test]
fn truncated_values_are_masked() {
    let redactor = masking(&["hunter2hunter2"]);
    assert_eq!(redactor.redact("x hunter2hunt..."), "x [redacted]...");
    assert_eq!(
        redactor.redact("x hunter2h\n[... 9 bytes left out ...]\nnter2 y"),
        "x [redacted]\n[... 9 bytes left out ...]\n[redacted] y"
    );
}

#[test]
fn parts_of_a_value_are_masked() {
    let redactor = masking(&["first line of it\nsecond line of it"]);
    assert_eq!(redactor.redact("| second line of it"), "| [redacted]");
    let redactor = masking(&["{\"auths\":{\"registry\":{\"auth\":\"dXNlcjpwYXNz\"}}}"]);
    assert_eq!(redactor.redact("auth of registry: dXNlcjpwYXNz"), "auth of registry: [redacted]");
}

#[test]
fn common_values_and_paths_are_not_secret() {
    for value in [
        "",
        "1",
        "12",
        "123",
        "true",
        "False",
        "none",
        "ab",
        "/tmp/x509up_u1000",
        "~/.ssh/id",
        "./a",
        "FILE:/tmp/krb5cc",
        "/tmp/a:/tmp/b",
        "redacted",
    ] {
        assert_eq!(secret(value), None, "{value}");
    }
    for value in ["aBc", "12a4", "/nODirEcTory+abc==", "/tmp/a b"] {
        assert!(secret(value).is_some(), "{value}");
    }
    let exists = |_: &Path| true;
    assert_eq!(Variable::passed("MODE", "fast", &exists), None);
    assert!(Variable::passed("MODE", "production", &exists).is_some());
    assert!(Variable::passed("API_KEY", "quick", &exists).is_some());
}

#[test]
fn names_mark_secrets() {
    for name in [
        "GITHUB_TOKEN",
        "aws_secret_access_key",
        "DB_PASS",
        "SSHKEY",
        "X_KEY_ID",
        "npm_config__authToken",
        "PGPASSWORD",
        "CREDENTIALS",
        "GH_PAT",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "PATH",
        "PWD",
        "OLDPWD",
        "KEY4HEP_STACK",
        "TOKENIZERS_PARALLELISM",
        "XKB_KEYMAP",
        "COMPASS",
        "AUTHOR",
        "SSH_AGENT",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn positions_move_with_the_text() {
    let text = "https://user:password@host/x https://a:b@c";
    let redacted = Redactor::default().apply(text).expect("credentials");
    for part in ["https://", "@host", "/x", "@c"] {
        let (before, after) = (text.find(part).expect("a part"), redacted.text.find(part).expect("a part"));
        assert_eq!(redacted.position(before, false), after, "{part}");
    }
    assert_eq!(redacted.position(10, false), 8);
    assert_eq!(redacted.position(10, true), 8 + REDACTED.len());
    assert_eq!(redacted.position(text.len(), true), redacted.text.len());
}

proptest! {
    #[test]
    fn redaction_is_idempotent(text in any::<String>()) {
        let once = cut(&text);
        prop_assert_eq!(cut(&once), once);
    }

    #[test]
    fn redaction_of_urls_is_idempotent(text in "(https?://|root://|docker:|:\\\\/\\\\/|%3[aA]%2[fF]%2[fF]|[a-c:@/?&#=.%' \"\n…]|token=|sig=|%40|Bearer |Authorization: |sha256:|\\.\\.\\.|\\[redacted\\]){0,24}") {
        let once = cut(&text);
        prop_assert_eq!(cut(&once), once.as_str());
        if let Some(redacted) = Redactor::default().apply(&text) {
            prop_assert_eq!(redacted.position(text.len(), true), redacted.text.len());
            prop_assert_eq!(redacted.text.matches('\n').count(), text.matches('\n').count());
        }
    }

    #[test]
    fn password_is_always_removed(before in "[a-z:/ ]{0,12}", user in "[a-z]{1,8}", after in "[a-z:/ ]{0,12}") {
        let text = format!("{before} https://{user}:SECRET@host{after}");
        prop_assert!(!cut(&text).contains("SECRET"), "{}", cut(&text));
    }

    #[test]
    fn value_in_colors_is_masked(before in any::<String>(), cuts in prop::collection::vec(0_usize..12, 0..4), after in any::<String>()) {
        let value = "hunter2-hunter2";
        let mut text = value.to_owned();
        for cut in cuts {
            text.insert_str(text.char_indices().nth(cut).map_or(0, |(at, _)| at), "\u{1b}[3;1m");
        }
        let text = masking(&[value]).redact(&format!("{before} {text}{after}")).into_owned();
        prop_assert!(!crate::model::text::clean(&text).contains(value), "{text}");
    }

    #[test]
    fn value_is_masked_anywhere(before in any::<String>(), value in "[a-z][!-~]{7,20}", after in any::<String>()) {
        prop_assume!(!value.contains("redact"));
        let text = format!("{before}{value}{after}");
        prop_assert!(!masking(&[&value]).redact(&text).contains(&value));
    }
}
