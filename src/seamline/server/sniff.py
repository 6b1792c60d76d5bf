"""Tells a medium by its first bytes, never by its name: bytes in, a MIME type or None out.

Only formats whose demuxers ``seamline.media`` opens are known; all else is refused unread.
"""

from __future__ import annotations

SNIFF_BYTES = 4096

# (offset, bytes, type)
_MARKS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (0, b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"caff", "audio/x-caf"),
    (8, b"AIFF", "audio/aiff"),
    (8, b"AIFC", "audio/aiff"),
    (0, b".snd", "audio/basic"),
    (0, b"riff\x2e\x91\xcf\x11", "audio/wav"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"FWS", "application/x-shockwave-flash"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "application/mxf"),
    (0, b"YUV4MPEG2 ", "video/x-yuv4mpeg"),
    (0, b".RMF", "application/vnd.rn-realmedia"),
    (0, b"DKIF", "video/x-ivf"),
    (0, b"MAC ", "audio/x-ape"),
    (0, b"TTA1", "audio/x-tta"),
    (0, b"tBaK", "audio/x-tak"),
    (0, b"wvpk", "audio/x-wavpack"),
    (0, b"MPCK", "audio/x-musepack"),
    (0, b"MP+", "audio/x-musepack"),
    (0, b"\x0b\x77", "audio/ac3"),
    (0, b"\x7f\xfe\x80\x01", "audio/vnd.dts"),
)
_BRANDS = {
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"avif": "image/avif",
    b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif",
    b"msf1": "image/heif",
}  # fmt: skip
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # a QuickTime file without ftyp
_MPEG_TS_BYTES = (188, 192, 204)


def sniff(head: bytes) -> str | None:
    """Names the type of a file that begins with ``head`` (up to ``SNIFF_BYTES`` are looked at)."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/3gpp" if head[8:11] == b"3gp" else "video/mp4")
    if head[4:8] in _ATOMS:
        return "video/quicktime"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"OggS"):
        pictures = (b"theora", b"OVP80", b"BBCD")
        return "video/ogg" if any(mark in head[:512] for mark in pictures) else "audio/ogg"
    for offset, mark, kind in _MARKS:
        if head[offset : offset + len(mark)] == mark:
            in_riff = offset != 8 or head[:4] in (b"RIFF", b"RF64", b"FORM")
            if in_riff:
                return kind
    return _by_rhythm(head)


def _by_rhythm(head: bytes) -> str | None:
    """Knows streams without a header by the marks that they repeat."""
    for size in _MPEG_TS_BYTES:
        for start in (0, 4):
            marks = head[start : start + 4 * size : size]
            if len(marks) == 4 and set(marks) == {0x47}:
                return "video/mp2t"
    if head[:4] == b"\x00\x00\x00\x01" or head[:3] == b"\x00\x00\x01":
        return "video/h264"  # or another raw stream; decoding tells
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "audio/aac" if head[1] & 0xF6 == 0xF0 else "audio/mpeg"
    return None
