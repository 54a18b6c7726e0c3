"""The first picture of a stream, as a process of its own: address in by standard input, JPEG out by standard output."""

from __future__ import annotations

import io
import sys


def main() -> int:
    """Write the picture; return 1 when there is none. What went wrong is not written: it may name the address."""
    import av

    address = sys.stdin.read().strip()
    try:
        with av.open(address, options={"rtsp_transport": "tcp"}, timeout=(3.0, 3.0)) as held:
            for frame in held.decode(video=0):
                out = io.BytesIO()
                frame.to_image().save(out, "JPEG", quality=90)
                sys.stdout.buffer.write(out.getvalue())
                return 0
    except (av.FFmpegError, OSError, IndexError, ValueError):
        return 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
