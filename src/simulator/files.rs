//! Shared files of groups: listing, upload, download, deletion.
//!
//! An upload is multipart; its first part with a file name is the file. A download is the bytes themselves,
//! not JSON. Nobody is named as the uploader when an app token uploads, so the group's owner stands for him.

use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{
    call::Asked,
    reply::{Failure, Outcome, Reply},
    world::{File, World},
};

const FILE_BYTES: usize = 10 * 1_024 * 1_024;

/// `GET /chatgroups/{id}/share_files`: pages from 1, newest first.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let size = asked.call.number("pagesize", 1_000, 1..=1_000);
    let page = asked.call.number("pagenum", 1, 1..=usize::MAX) - 1;
    let entry = |file: &File| {
        json!({
            "file_id": file.id, "file_name": file.name, "file_owner": file.owner,
            "file_size": file.bytes.len(), "created": file.created,
        })
    };
    let files = world.group(asked.first)?.files.iter().rev();
    let data: Vec<Value> = files.skip(page.saturating_mul(size)).take(size).map(entry).collect();
    Ok(Reply::data(json!(data)).with("params", asked.call.params()))
}

/// `POST /chatgroups/{id}/share_files`
pub(super) fn upload(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let part = multipart(asked).ok_or_else(|| Failure::illegal("file must be provided"))?;
    if part.bytes.len() > FILE_BYTES {
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "exceed_limit", "file is too large"));
    }
    let (now, serial) = (world.now, world.next());
    let group = world.managed(asked.first)?;
    let id = format!("{:08x}-e1d4-11ea-95fc-{serial:012x}", crc32fast::hash(&part.bytes));
    let data = json!({
        "file_url": format!("{}/chatgroups/{}/share_files/{id}", asked.call.base, asked.first),
        "group_id": asked.first, "file_name": part.name, "created": now, "file_id": id,
        "file_size": part.bytes.len(),
    });
    let (name, content_type, bytes) = (part.name, part.content_type, part.bytes);
    group.files.push(File { id, name, owner: group.place.owner.clone(), content_type, bytes, created: now });
    Ok(Reply::data(data))
}

/// `GET /chatgroups/{id}/share_files/{file}`
pub(super) fn download(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let files = &world.group(asked.first)?.files;
    let file = files.iter().find(|file| file.id == asked.second).ok_or_else(|| no_file(asked.second))?;
    Ok(Reply::File { content_type: file.content_type.clone(), bytes: file.bytes.clone() })
}

/// `DELETE /chatgroups/{id}/share_files/{file}`
pub(super) fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome {
    let files = &mut world.managed(asked.first)?.files;
    let index = files.iter().position(|file| file.id == asked.second).ok_or_else(|| no_file(asked.second))?;
    files.remove(index);
    Ok(Reply::data(json!({ "group_id": asked.first, "file_id": asked.second, "result": true })))
}

fn no_file(id: &str) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "storage_object_not_found", format!("file {id} doesn't exist!"))
}

/// One file out of a multipart body.
struct Part {
    name: String,
    content_type: String,
    bytes: Bytes,
}

fn multipart(asked: &Asked<'_>) -> Option<Part> {
    let kind = asked.call.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = kind.split(';').find_map(|field| field.trim().strip_prefix("boundary="))?;
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let body = &asked.call.body;
    let mut at = find(body, delimiter.as_bytes())?;
    loop {
        let start = at + delimiter.len() + 2;
        let rest = body.get(start..)?;
        let head_end = find(rest, b"\r\n\r\n")?;
        let content = start + head_end + 4;
        let end_mark = format!("\r\n{delimiter}");
        let length = find(body.get(content..)?, end_mark.as_bytes())?;
        let head = String::from_utf8_lossy(&rest[..head_end]);
        if let Some(name) = quoted(&head, "filename=\"") {
            let content_type = content_type(&head).unwrap_or("application/octet-stream").to_owned();
            return Some(Part { name, content_type, bytes: body.slice(content..content + length) });
        }
        at = content + length + 2;
    }
}

fn quoted(head: &str, before: &str) -> Option<String> {
    let (_, rest) = head.split_once(before)?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

fn content_type(head: &str) -> Option<&str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim())
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
