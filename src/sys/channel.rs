//! Messages between two processes over a socket pair: one JSON value per line, each with at most one file descriptor.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::helper::encode;

/// Maximum number of descriptors that one call receives. Both sides send one with a message and wait for an answer.
const MAX_DESCRIPTORS: usize = 4;

/// One end of a channel.
#[derive(Debug)]
pub struct Channel {
    stream: UnixStream,
    /// Received bytes that are not yet part of a returned message.
    buffer: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
}

impl Channel {
    /// Creates a channel and returns the socket of the other end for another process.
    ///
    /// # Errors
    /// Fails if the kernel refuses a socket pair.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (own, other) = UnixStream::pair()?;
        Ok((Self::new(own), other.into()))
    }

    /// Returns the channel at the standard input of this process, or `None` if standard input is not a socket.
    pub fn at_stdin() -> Option<Self> {
        let stdin = io::stdin();
        let mode = rustix::fs::fstat(&stdin).ok()?.st_mode;
        let is_socket = FileType::from_raw_mode(mode) == FileType::Socket;
        is_socket.then(|| stdin.as_fd().try_clone_to_owned().ok().map(|fd| Self::new(fd.into())))?
    }

    fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: Vec::new(), descriptors: VecDeque::new() }
    }

    /// Sends a message, with a descriptor if there is one.
    ///
    /// # Errors
    /// Fails if the other end is closed.
    pub fn send(&self, message: &impl Serialize, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let line = encode(message)?;
        let mut sent = 0;
        while sent < line.len() {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            let descriptors: Vec<BorrowedFd<'_>> = descriptor.filter(|_| sent == 0).into_iter().collect();
            if !descriptors.is_empty() {
                ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            }
            match sendmsg(&self.stream, &[IoSlice::new(&line[sent..])], &mut ancillary, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                other => sent += other?,
            }
        }
        Ok(())
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// Fails with `UnexpectedEof` if the other end is closed, or if the message is invalid.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            if let Some(message) = self.take_message()? {
                return Ok(message);
            }
            self.read(RecvFlags::CMSG_CLOEXEC)?;
        }
    }

    /// Returns the next message, or `None` if none has arrived yet.
    ///
    /// # Errors
    /// As [`Channel::receive`].
    pub fn try_receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(message) = self.take_message()? {
                return Ok(Some(message));
            }
            match self.read(RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                other => other?,
            }
        }
    }

    /// Returns the oldest received descriptor.
    pub fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    fn take_message<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let message = serde_json::from_slice(&self.buffer[..end]);
        self.buffer.drain(..=end);
        Ok(Some(message?))
    }

    fn read(&mut self, flags: RecvFlags) -> io::Result<()> {
        let mut bytes = [0; 1 << 14];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            match recvmsg(&self.stream, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&bytes[..received.bytes]);
        Ok(())
    }
}

impl From<Channel> for OwnedFd {
    /// Returns the socket for another process. Messages that arrived before are lost.
    fn from(channel: Channel) -> Self {
        channel.stream.into()
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _, Write as _};
    use std::os::fd::AsFd as _;

    use super::Channel;

    #[test]
    fn messages_arrive_in_order_with_their_descriptors() {
        let (mut one, other) = Channel::pair().expect("a socket pair");
        let two = Channel::new(other.into());
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let long = "x".repeat(100_000);
        let sender = std::thread::spawn(move || {
            two.send(&"first", None).expect("sent");
            two.send(&long, Some(writer.as_fd())).expect("sent");
        });
        assert_eq!(one.receive::<String>().expect("a message"), "first");
        assert_eq!(one.receive::<String>().expect("a message").len(), 100_000);
        sender.join().expect("the sender ends");
        let mut received = std::fs::File::from(one.take_descriptor().expect("a descriptor"));
        received.write_all(b"through the pipe").expect("written");
        drop(received);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("the pipe is closed");
        assert_eq!(text, "through the pipe");
        assert_eq!(one.receive::<String>().expect_err("the other end is closed").kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn try_receive_returns_none_without_a_message() {
        let (mut one, other) = Channel::pair().expect("a socket pair");
        let two = Channel::new(other.into());
        assert_eq!(one.try_receive::<u32>().expect("no error"), None);
        two.send(&7, None).expect("sent");
        assert_eq!(one.try_receive::<u32>().expect("no error"), Some(7));
    }
}
