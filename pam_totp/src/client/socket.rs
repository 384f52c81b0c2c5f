//! A request over the private socket: no bus.

use std::time::Instant;

use rustix::io::Errno;
use totpd_interface::PRIVATE_SOCKET;
use totpd_interface::wire::call::{Call, Way};
use totpd_interface::wire::greeting;

use super::connect::{connect, from_errno};
use super::request::{Reading, RequestError, SERIAL, map_error, read, unsendable};
use super::stream::Stream;

/// Sends the request, waits for the reply until the deadline, and hands it to `reading`.
pub(super) fn ask(
    call: &Call<'_>,
    reading: &mut Reading<'_>,
    deadline: Instant,
) -> Result<(), RequestError> {
    let message = call.write(SERIAL, Way::Peer).map_err(|_| unsendable())?;
    let socket = connect(PRIVATE_SOCKET, deadline)?.map_err(|error| match error {
        // A killed daemon leaves its socket behind.
        Errno::CONNREFUSED => RequestError::NotRunning,
        Errno::ACCESS | Errno::NOENT | Errno::PERM => RequestError::NoAccess,
        error => from_errno(error),
    })?;
    let mut stream = Stream::new(socket, deadline);
    stream.send(&[greeting(0).as_bytes(), &message].concat())?;
    stream.wait_for_ok()?;
    let mut result = Ok(());
    stream.receive_reply(SERIAL, &mut |_, answer| {
        result = read(answer, reading, |name, text| RequestError::Fatal(map_error(name, text)));
    })?;
    result
}
