//! Tests that tried the network while it is off.

use super::is_bad;
use crate::model::cell::TestCase;

/// Words of programs that found no network.
const WORDS: &[&str] = &[
    // strerror(ENETUNREACH), as libc, Java, Go and Python print it
    "Network is unreachable",
    "network is unreachable",
    "[Errno 101]",
    // gai_strerror: EAI_AGAIN, EAI_NONAME, EAI_NODATA; musl's words for EAI_NONAME
    "Temporary failure in name resolution",
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    // curl (also in git and pip's vcs), wget
    "Could not resolve host",
    "Couldn't resolve host",
    "unable to resolve host address",
    "bad address '",
    // urllib3 and requests
    "NewConnectionError",
    "NameResolutionError",
    "Failed to establish a new connection",
    "requests.exceptions.ConnectionError",
    "urllib.error.URLError",
    // aiohttp, httpx
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "httpx.ConnectError",
    // XRootD's client: XrdCl::Status::ToString
    "[FATAL] Invalid address",
    "[FATAL] Connection error",
    "[ERROR] Socket error",
    // ROOT's TNetXNGFile and TUnixSystem
    "Invalid address: (destination)",
    "TUnixSystem::GetHostByName",
    // Go
    "dial tcp: lookup",
];

/// Marks the failed cases that tried the network, by what they wrote; `tried` says whether the kernel counted attempts
/// while the command ran, which marks the only failed case of a command even when it wrote nothing about it.
pub(super) fn mark(cases: &mut [TestCase], tried: bool) {
    let only_one = cases.len() == 1;
    for case in cases.iter_mut().filter(|case| is_bad(case)) {
        let text = case.output.as_ref().map_or("", |output| &output.text);
        let said = WORDS.iter().any(|word| case.message.contains(word) || text.contains(word));
        if said || only_one && tried {
            case.tried_network = true;
        }
    }
}
