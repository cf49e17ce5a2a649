//! Detects tests that tried to use the network while it was disabled.

use super::is_failure;
use crate::model::cell::TestCase;

/// Error messages of programs without network access.
const MESSAGES: &[&str] = &[
    // strerror(ENETUNREACH) of libc, Java, Go and Python
    "Network is unreachable",
    "network is unreachable",
    "[Errno 101]",
    // gai_strerror: EAI_AGAIN, EAI_NONAME, EAI_NODATA; EAI_NONAME of musl
    "Temporary failure in name resolution",
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    // curl (also in git and pip), wget
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
    // XRootD client: XrdCl::Status::ToString
    "[FATAL] Invalid address",
    "[FATAL] Connection error",
    "[ERROR] Socket error",
    // ROOT: TNetXNGFile and TUnixSystem
    "Invalid address: (destination)",
    "TUnixSystem::GetHostByName",
    // Go
    "dial tcp: lookup",
];

/// Marks the failed cases that tried to use the network, based on their output. `tried` states whether the kernel
/// counted attempts while the command ran; it marks the only failed case of a command even without such output.
pub(super) fn mark(cases: &mut [TestCase], tried: bool) {
    let only_one = cases.len() == 1;
    for case in cases.iter_mut().filter(|case| is_failure(case)) {
        let text = case.output.as_ref().map_or("", |output| &output.text);
        let has_message = MESSAGES.iter().any(|word| case.message.contains(word) || text.contains(word));
        if has_message || only_one && tried {
            case.tried_network = true;
        }
    }
}
