"""image_btf.py VMLINUZ OUT: the type information of an arm64 kernel, from its image (gzip'd, or with the EFI stub's own wrapping)."""
import struct
import sys
import zlib


def image(data):
    """drivers/firmware/efi/libstub/zboot-header.S: "zimg", where the payload is, how it is packed."""
    if data[4:8] == b"zimg":
        offset, size = struct.unpack_from("<II", data, 8)
        data = data[offset:offset + size]
    return zlib.decompressobj(31).decompress(data) if data[:2] == b"\x1f\x8b" else data


def btf(data):
    """include/uapi/linux/btf.h: the largest that begins with such a header."""
    found, at = b"", -1
    while (at := data.find(b"\x9f\xeb\x01\x00", at + 1)) >= 0:
        head, types, types_len, strings, strings_len = struct.unpack_from("<5I", data, at + 4)
        if head == 24 and types == 0 and strings == types_len and types_len + strings_len > len(found):
            found = data[at:at + head + strings + strings_len]
    return found


with open(sys.argv[1], "rb") as packed:
    types = btf(image(packed.read()))
with open(sys.argv[2], "wb") as out:
    out.write(types)
sys.exit(not types and "image_btf: none found in " + sys.argv[1])
