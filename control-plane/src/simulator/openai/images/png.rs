//! The smallest pictures that are pictures: one colour, four by four, in PNG.
//!
//! Spec: <https://www.w3.org/TR/png-3/>. Invariant: the same colour gives the same bytes, and any reader takes them.

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const SIDE: u8 = 4;

/// A picture of that colour.
pub(crate) fn of(colour: [u8; 3]) -> Vec<u8> {
    let mut png = SIGNATURE.to_vec();
    // Eight bits for each of three colours; no palette, no interlacing.
    chunk(&mut png, *b"IHDR", &[0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 2, 0, 0, 0]);
    let mut row = vec![0];
    row.extend(colour.repeat(usize::from(SIDE)));
    chunk(&mut png, *b"IDAT", &zlib(&row.repeat(usize::from(SIDE))));
    chunk(&mut png, *b"IEND", &[]);
    png
}

/// The format of a picture, by its first bytes.
pub(crate) fn format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        _ if bytes.starts_with(SIGNATURE) => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    png.extend(length.to_be_bytes());
    let checked: Vec<u8> = kind.iter().chain(data).copied().collect();
    png.extend(&checked);
    png.extend(crc(&checked).to_be_bytes());
}

/// One stored block: what is so small need not be compressed.
fn zlib(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(data);
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    out.extend(((high << 16) | low).to_be_bytes());
    out
}

fn crc(data: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !data.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_standards() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(b"IEND"), 0xae42_6082);
        assert_eq!(zlib(b"Wikipedia").split_off(16), 0x11e6_0398_u32.to_be_bytes());
    }

    #[test]
    fn a_picture_is_whole() {
        let png = of([1, 2, 3]);
        assert_eq!((format(&png), format(b"GIF89a")), (Some("image/png"), None));
        assert_eq!(png[16..24], [0, 0, 0, 4, 0, 0, 0, 4]);
        assert_ne!(of([0, 0, 0]), png);
    }
}
