//! Reading and writing stanzas: small helpers over the protocol crate's tree.
//! Clients write text content in two forms (bytes or packed strings); everything here accepts both.

use anyhow::{Context, Result};
use bytes::BytesMut;
use std::borrow::Cow;
use std::fmt::{self, Display, Write};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::marshal::{marshal, unmarshal_ref};
use wacore_binary::{Jid, Node, NodeContent, util};

/// The address of the network itself.
pub const SERVER: &str = "s.whatsapp.net";

/// Decodes the plaintext of one frame (flag byte, possibly compressed, then the tree).
pub fn decode(plain: &[u8]) -> Result<Node> {
    let unpacked = util::unpack(plain).context("unpacking a frame")?;
    let node = unmarshal_ref(&unpacked).context("decoding a stanza")?;
    Ok(node.to_owned())
}

/// Encodes a stanza as the plaintext of one frame.
pub fn encode(node: &Node) -> Result<Vec<u8>> {
    marshal(node).context("encoding a stanza")
}

/// Returns an attribute as text.
pub fn attr<'n>(node: &'n Node, key: &str) -> Option<Cow<'n, str>> {
    node.attrs.get(key).map(|value| value.as_str())
}

/// Returns an attribute as an owned text, empty when it is missing.
pub fn text_attr(node: &Node, key: &str) -> String {
    attr(node, key).map(Cow::into_owned).unwrap_or_default()
}

/// Returns an attribute as an address, or nothing when it is missing or malformed.
pub fn jid_attr(node: &Node, key: &str) -> Option<Jid> {
    node.attrs.get(key)?.to_jid()
}

/// Returns the child stanzas.
pub fn children(node: &Node) -> &[Node] {
    node.children().unwrap_or_default()
}

/// Returns the first child with this tag.
pub fn child<'n>(node: &'n Node, tag: &str) -> Option<&'n Node> {
    children(node).iter().find(|child| child.tag == tag)
}

/// Returns the content as bytes, whichever way the client wrote it.
pub fn content(node: &Node) -> Vec<u8> {
    match &node.content {
        Some(NodeContent::Bytes(bytes)) => bytes.clone(),
        Some(NodeContent::String(text)) => text.as_bytes().to_vec(),
        _ => Vec::new(),
    }
}

/// Returns the content of a child as bytes, or nothing when there is no such child.
pub fn child_content(node: &Node, tag: &str) -> Option<Vec<u8>> {
    child(node, tag).map(content)
}

/// Starts a stanza that comes from the network itself.
pub fn from_server(tag: &'static str) -> NodeBuilder {
    NodeBuilder::new(tag).attr("from", SERVER)
}

/// Builds an element that holds bytes.
pub fn bytes(tag: &'static str, content: impl Into<Vec<u8>>) -> Node {
    NodeBuilder::new(tag).bytes(content).build()
}

/// Builds an element that holds only children.
pub fn parent(tag: &'static str, children: impl IntoIterator<Item = Node>) -> Node {
    NodeBuilder::new(tag).children(children).build()
}

/// Builds an element without attributes or content.
pub fn empty(tag: &'static str) -> Node {
    NodeBuilder::new(tag).build()
}

/// Writes a key id the way the wire has it: three bytes, big-endian.
pub fn key_id(id: u32) -> Vec<u8> {
    id.to_be_bytes()[1..].to_vec()
}

/// Reads a big-endian number of at most four bytes.
pub fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
}

/// Appends one frame (length and payload) to an outgoing buffer.
pub fn append_frame(buffer: &mut BytesMut, payload: &[u8]) {
    // A stanza above 2^24 bytes cannot be built: the tree's own binary length limit is smaller.
    buffer.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    buffer.extend_from_slice(payload);
}

/// Shows a stanza on one line for the log: structure, attributes and sizes, never content.
pub struct Line<'n>(pub &'n Node);

const LINE_DEPTH: usize = 4;
const LINE_CHILDREN: usize = 6;

impl Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(self.0, out, 0)
    }
}

fn write_line(node: &Node, out: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    write!(out, "<{}", node.tag)?;
    for (key, value) in node.attrs.iter() {
        write!(out, " {key}={}", value.as_str())?;
    }
    match &node.content {
        None => out.write_str("/>"),
        Some(NodeContent::Bytes(bytes)) => write!(out, ">[{}]", bytes.len()),
        Some(NodeContent::String(text)) => write!(out, ">[{}]", text.len()),
        Some(NodeContent::Nodes(nodes)) => {
            out.write_char('>')?;
            if depth >= LINE_DEPTH {
                return write!(out, "…{}", nodes.len());
            }
            for node in nodes.iter().take(LINE_CHILDREN) {
                write_line(node, out, depth + 1)?;
            }
            if nodes.len() > LINE_CHILDREN {
                write!(out, "…{}", nodes.len() - LINE_CHILDREN)?;
            }
            out.write_char('<')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_sizes_and_no_content() {
        let node = NodeBuilder::new("message")
            .attr("id", "A1")
            .children([bytes("enc", b"secret words".to_vec())])
            .build();
        assert_eq!(Line(&node).to_string(), "<message id=A1><enc>[12]<");
    }

    #[test]
    fn key_ids_survive_the_wire() {
        assert_eq!(key_id(0x0001_0203), vec![1, 2, 3]);
        assert_eq!(number(&key_id(812)), Some(812));
        assert_eq!(number(&[]), None);
        assert_eq!(number(&[0; 5]), None);
    }

    #[test]
    fn content_is_read_in_both_forms() {
        let text = NodeBuilder::new("id").string_content("12").build();
        assert_eq!(content(&text), b"12");
        assert_eq!(content(&bytes("id", b"12".to_vec())), b"12");
    }
}
